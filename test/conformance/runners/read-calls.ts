import { createInterface } from 'node:readline';

/** A call as the suite sends it. */
export interface Call {
  readonly call: 'cancel' | 'wait' | 'verify';
  readonly baseUrl: string;
  readonly credential: string;
  readonly externalId: string;
  readonly jobId?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly secrets: readonly string[];
}

/** Answers each call of standard input with a line. */
export async function answerCalls(act: (call: Call) => Promise<{ result: string; detail?: string }>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await act(JSON.parse(line)))}\n`);
  }
}
