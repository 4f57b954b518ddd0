import type { Head, Service } from '../../proof/crash/tap.ts';

/** A request that a contender sent while it was recorded, and the answer that the local part gave. */
export interface Exchange {
  readonly service: Service;
  readonly head: Head;
  readonly body: Uint8Array;
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: Uint8Array;
  };
}

/** A request as `node:https` takes it. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What is of no account for which answer belongs to a request: when it was sent. */
const withoutTimes = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time');

/** Two requests with the same key get the same answer; a put's answer says nothing of what was put. */
export const keyOf = (service: Service, { method, url, headers }: Head, body: Uint8Array): string => {
  if (service === 'plangrep') return `${method} ${url}`;
  const target = String(headers['x-amz-target']);
  if (service === 'secretsmanager') return target;
  const { TableName, IndexName, Key, ExpressionAttributeValues } = JSON.parse(Buffer.from(body).toString());
  if (/\.(Put|Update)Item$/.test(target)) return `${target} ${TableName}`;
  return withoutTimes(JSON.stringify([target, TableName, IndexName, Key, ExpressionAttributeValues]));
};
