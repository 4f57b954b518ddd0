import { functions } from '../../blueprint/functions.ts';
import type { Cell } from '../terminal.ts';
import type { FoundLine } from './cloudwatch-logs.ts';
import { fieldOf } from './searched.ts';

/** Longer values are cut where a person reads them. */
const SHOWN_CHARACTERS = 300;

/** A log line in the parts that are shown. */
export interface ShownLine {
  readonly at: string;
  /** The function, `access log`, `trail` or, in the local run, `outgoing events`. */
  readonly from: string;
  readonly level: string | undefined;
  /** For a line that no function of ours wrote: what happened. */
  readonly code: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Takes a line apart, which a function of ours, Lambda, API Gateway or CloudTrail wrote. */
export function toShown({ at, log, line }: FoundLine): ShownLine {
  const shown = { at, from: nameOf(log), level: undefined, code: undefined };
  const parsed = parse(line);
  if (parsed === undefined) return { ...shown, fields: { text: line } };
  const { timestamp: _, time: __, level, message, type, record, ...others } = parsed;
  // Lambda's own: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
  if (type !== undefined) return { ...shown, code: textOf(type), fields: { ...others, ...toFields(record) } };
  if (others['eventSource'] !== undefined) return { ...shown, ...toTrailRecord(others) };
  if (message === undefined) return { ...shown, fields: others };
  // The invocation's id, beside that of the partner's request.
  const { requestId: invocation, ...rest } = others;
  const { code, ...fields } = toFields(message);
  return {
    ...shown,
    level: level === undefined ? undefined : textOf(level),
    code: code === undefined ? undefined : textOf(code),
    fields: { ...fields, ...rest, invocation },
  };
}

/** @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
function toTrailRecord(record: Readonly<Record<string, unknown>>): Pick<ShownLine, 'code' | 'fields'> {
  const { eventName, userIdentity, sourceIPAddress, errorCode, requestParameters } = record;
  // A call names what it is about in one of these.
  const [about] = ['tableName', 'resourceArn', 'name', 'bucketName'].flatMap(
    (field) => fieldOf(requestParameters, field) ?? [],
  );
  const key = fieldOf(requestParameters, 'key');
  return {
    code: textOf(eventName),
    fields: { about, who: fieldOf(userIdentity, 'arn'), sourceIPAddress, errorCode, key },
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function toFields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : { text: value };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** CloudFormation makes a group's name of its construct's. */
function nameOf(log: string): string {
  const group = log.replace(/^\d+:/, '');
  const name = Object.keys(functions).find((one) => group === one || group.includes(`-${one.replaceAll('-', '')}Logs`));
  if (name !== undefined) return name;
  if (group.includes('AccessLogs')) return 'access log';
  return group.includes('AuditWatch') ? 'trail' : group;
}

/** For a table. */
export function toRow({ at, from, level = '', code = '', fields }: ShownLine): readonly Cell[] {
  const { invocation: _, ...shown } = fields;
  const rest = Object.entries(shown)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${name}=${cut(textOf(value))}`);
  const isBad = level === 'ERROR' || level === 'FATAL';
  return [at, from, isBad ? { text: level, style: 'red' } : level, code, rest.join(' ')];
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
