import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a runner says of a call. */
export interface RunnerAnswer {
  readonly result: string;
  /** For people. */
  readonly detail?: string;
}

export interface Runner {
  ask(call: object): Promise<RunnerAnswer>;
  close(): Promise<void>;
}

/** A call takes at most so long: a wait of 10 s, repeats, and the start of a slow language. */
const ANSWER_WITHIN_MS = 60_000;

/** Starts a runner by its command line. It gets a line of JSON for each call, and answers each with one. */
export function startRunner(command: string): Runner {
  const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async ask(call) {
      child.stdin.write(`${JSON.stringify(call)}\n`);
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`The runner did not answer in ${ANSWER_WITHIN_MS / 1000} s.`)),
          ANSWER_WITHIN_MS,
        );
      });
      const line = await Promise.race([lines.next(), tooLate]).finally(() => clearTimeout(timer));
      if (line.done === true) throw new Error('The runner ended before it answered.');
      return readAnswer(line.value);
    },
    close() {
      child.stdin.end();
      return ended;
    },
  };
}

/** @throws if the line is not an answer */
function readAnswer(line: string): RunnerAnswer {
  const said: unknown = JSON.parse(line);
  if (typeof said !== 'object' || said === null || !('result' in said) || typeof said.result !== 'string') {
    throw new Error(`The runner answered ${line}, which has no "result".`);
  }
  return 'detail' in said ? { result: said.result, detail: String(said.detail) } : { result: said.result };
}
