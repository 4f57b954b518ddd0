import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The collector as `node --expose-gc` gives it; switched on here, so that the soak needs no flag. */
const collectGarbage = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

let collect: (() => void) | undefined;

/** What is in use after everything that can go is gone, in MB. */
export const measureHeapMb = (): number => {
  collect ??= collectGarbage();
  collect();
  return Math.round((process.memoryUsage().heapUsed / 1024 / 1024) * 10) / 10;
};
