/**
 * Lambda's Runtime API loop, and what tells the bench from inside what the process has used. Bundled to plain CommonJS
 * for all contenders alike: stripping the types of `lambda-container.ts` would be more than half of an empty function's start.
 */
import '../../../infra/local/aws/lambda/lambda-container.ts';
import { probes } from './probe.ts';

const tell = (line: object): void => void process.stdout.write(`${JSON.stringify({ probe: line })}\n`);

process.on(probes.cpu, () => {
  const { user, system } = process.cpuUsage();
  tell({ cpuMs: (user + system) / 1000 });
});
process.on(probes.memory, () => {
  const rss = process.memoryUsage.rss();
  globalThis.gc?.();
  tell({ rss, heapUsed: process.memoryUsage().heapUsed });
});
