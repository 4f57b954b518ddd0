import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { BusEvent } from './aws/events/event-rules.ts';
import type { OnAnswer } from './aws/gateway/gateway.ts';

/** What a run keeps of its functions' lines, in two files: the newest, and the ones before them. */
const MOST_BYTES = 10 * 1024 * 1024;
/** Lines that wait for the disk. A disk that does not keep up costs lines, and never delays a function. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * The file with the lines of the run whose credentials are in `credentialsPath`: `.local/functions.log` beside
 * `.local/credentials.json`. Each line is JSON, with the function that printed it.
 */
export function linesPathOf(credentialsPath: string): string {
  const name = basename(credentialsPath).replace(/\.json$/, '');
  return join(dirname(credentialsPath), `${name.replace(/^credentials/, 'functions')}.log`);
}

/** The files with the lines, oldest first. */
export function linesFilesOf(path: string): readonly string[] {
  return [beforeOf(path), path];
}

function beforeOf(path: string): string {
  return `${path}.1`;
}

export interface KeptLines {
  /** Returns at once, and never throws. */
  add(line: string, functionName: string): void;
  /** Begins to write, with the lines that came before. Without a file, nothing is kept. */
  begin(path: string | undefined): void;
  /** Resolves when everything is written, or cannot be. */
  close(): Promise<void>;
}

/** Keeps the lines of a run in a file, readable only for its owner. What goes wrong with the file does not concern the run. */
export function keepLines({ mostBytes = MOST_BYTES } = {}): KeptLines {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let path: string | undefined;
  let isKeeping = true;
  let writing = Promise.resolve();
  let isScheduled = false;
  let file: FileHandle | undefined;
  let fileBytes = 0;

  const forget = (): void => {
    isKeeping = false;
    waiting = [];
  };
  /** A new file, whatever was there: its mode, or where a link leads, is not taken over. */
  const openFile = async (at: string): Promise<FileHandle> => {
    await rm(at, { force: true });
    fileBytes = 0;
    return open(at, 'wx', 0o600);
  };
  const write = async (at: string): Promise<void> => {
    const text = waiting.join('');
    waiting = [];
    waitingBytes = 0;
    if (file !== undefined && fileBytes > mostBytes / 2) {
      await file.close();
      file = undefined;
      await rename(at, beforeOf(at));
    }
    file ??= await openFile(at);
    await file.appendFile(text);
    fileBytes += Buffer.byteLength(text);
  };
  const schedule = (): void => {
    const at = path;
    if (at === undefined || isScheduled) return;
    isScheduled = true;
    const next = (): Promise<void> => {
      isScheduled = false;
      return write(at);
    };
    writing = writing.then(next).catch(forget);
  };

  return {
    add(line, functionName) {
      const text = isKeeping ? `${withFunction(line, functionName)}\n` : '';
      if (text === '' || waitingBytes + text.length > MOST_WAITING_BYTES) return;
      waiting.push(text);
      waitingBytes += text.length;
      schedule();
    },
    begin(given) {
      path = given;
      if (given === undefined) return forget();
      // What the run before has left is not this run's.
      writing = rm(beforeOf(given), { force: true }).catch(forget);
      schedule();
    },
    async close() {
      isKeeping = false;
      await writing;
      await file?.close().catch(() => undefined);
    },
  };
}

/**
 * Keeps a line for each answer of the gateway too, as API Gateway's access log does: some requests reach no function. It has
 * no header, no query and no body.
 * @param next receives the answers as well
 */
export function keepAccess(lines: Pick<KeptLines, 'add'>, next: OnAnswer | undefined): OnAnswer {
  return (request, answer) => {
    const { requestId, method: httpMethod, path } = request;
    const line = { timestamp: new Date().toISOString(), requestId, httpMethod, path, status: answer.statusCode };
    lines.add(JSON.stringify(line), 'access log');
    next?.(request, answer);
  };
}

/**
 * Keeps a line for each event that goes out on the bus, as a rule with a log group as its target does.
 * @param next receives the events as well
 */
export function keepAnnounced(
  lines: Pick<KeptLines, 'add'>,
  next: ((event: BusEvent) => void) | undefined,
): (event: BusEvent) => void {
  return (event) => {
    const { id, 'detail-type': detailType, source, detail } = event;
    const line = { timestamp: new Date().toISOString(), id, 'detail-type': detailType, source, detail };
    lines.add(JSON.stringify(line), 'outgoing events');
    next?.(event);
  };
}

/** Without parsing it: a line of a function is JSON, and what the runtime prints when a process crashes need not be. */
function withFunction(line: string, functionName: string): string {
  if (/^\{.+\}$/.test(line)) return `{"function":${JSON.stringify(functionName)},${line.slice(1)}`;
  return JSON.stringify({ function: functionName, timestamp: new Date().toISOString(), message: line });
}
