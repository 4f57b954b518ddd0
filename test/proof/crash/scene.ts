import { retention } from '../../support/names.ts';
import { PutItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { WAKE_SHARDS } from '../../../functions/core/cancellation/pace.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { EventBody } from '../../../functions/core/cancellation/events.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { applyEvent, type CancellationState, stateOf } from '../../../functions/core/cancellation/state.ts';
import {
  type ExternalId,
  externalIdSchema,
  type JobId,
  jobIdSchema,
  type PartnerId,
  partnerIdSchema,
  type ProjectId,
  projectIdSchema,
  toTimestamp,
} from '../../../functions/core/identifiers.ts';
import { createPartitionVerifier, type Verdict } from '../../../functions/core/audit/verify-partition.ts';
import type { SimulatedJobFields } from '../../../functions/simulator/plangrep-jobs.ts';
import { toRecord } from '../../../infra/cli/audit/scan-log.ts';
import type { Stage } from './stage.ts';

/** A separate partner with an order, so that no case sees another case's data. */
export interface Scene {
  readonly id: string;
  /** When its caller makes up its mind: milliseconds since 1970. */
  readonly at: number;
  readonly partnerId: PartnerId;
  readonly externalId: ExternalId;
  readonly jobId: JobId;
  readonly otherJobId: JobId;
  readonly projectId: ProjectId;
}

let scenes = 0;
export const newScene = (): Scene => {
  const n = ++scenes;
  return {
    id: `scene-${n}`,
    at: Date.now(),
    partnerId: partnerIdSchema.parse(`partner-${n}`),
    externalId: externalIdSchema.parse(`order ${n} ü✏️`),
    jobId: jobIdSchema.parse(`job_${n}`),
    otherJobId: jobIdSchema.parse(`job_${n}_other`),
    projectId: projectIdSchema.parse(`proj_${n}`),
  };
};

export const addJob = ({ simulator }: Stage, scene: Scene, jobId: JobId, fields: SimulatedJobFields = {}): void => {
  const { externalId, projectId } = scene;
  simulator.addJob({ pageCount: 204, successfulPageCount: 63, externalId, projectId, ...fields, id: jobId });
};

/** Registers a job of the scene's partner, verified. @param agoMs how long ago it was registered */
export const register = async (
  stage: Pick<Stage, 'directory' | 'dynamodb'>,
  scene: Scene,
  jobId: JobId,
  agoMs = 60_000,
): Promise<void> => {
  const { partnerId, externalId, projectId } = scene;
  const registeredAt = toTimestamp(Date.now() - agoMs);
  await nameProject(stage, scene);
  await stage.directory.claim(partnerId, externalId, { jobId, projectId, registeredAt, verifiedAt: registeredAt });
};

/** The partner's project: the jobs in it are the partner's, and are listed when the directory knows none. */
export const nameProject = async (
  { dynamodb }: Pick<Stage, 'dynamodb'>,
  { partnerId, projectId }: Scene,
): Promise<void> => {
  const Item = marshall({ pk: `partner#${partnerId}`, partnerId, projects: [projectId] });
  await dynamodb.client.send(new PutItemCommand({ TableName: dynamodb.tableNames.Partners, Item }));
};

export interface Past {
  readonly agoMs: number;
  readonly body: EventBody;
  /** When the event's wake-up is due, from now; none without. */
  readonly wakeInMs?: number;
}

/** Writes a stream as the service would have at the time: by the same code, under a clock set back. */
export const writeStream = async (
  { log }: Pick<Stage, 'log'>,
  { partnerId, jobId }: Pick<Scene, 'partnerId' | 'jobId'>,
  past: readonly Past[],
): Promise<void> => {
  let state: CancellationState | undefined;
  for (const { agoMs, body, wakeInMs } of past) {
    const now = Date.now();
    const place = { eventId: crypto.randomUUID(), at: toTimestamp(now - agoMs), keptDays: retention.events };
    const event = sealEvent({ partnerId, jobId }, state?.last, body, place);
    state = applyEvent(state, event);
    await log.append(event, wakeInMs === undefined ? undefined : toTimestamp(now + wakeInMs));
  }
};

export interface OnRecord {
  readonly state: CancellationState | undefined;
  readonly types: readonly string[];
  readonly wakeUps: readonly { readonly seq: number; readonly wakeAt: string }[];
  /** What `verify-audit` would say. */
  readonly verdict: Verdict;
}

/** What the table holds of a scene's cancellation. */
export const readRecord = async (stage: Stage, { partnerId, jobId }: Scene): Promise<OnRecord> => {
  const { client, tableNames } = stage.dynamodb;
  const partition = streamKey({ partnerId, jobId });
  const verifier = createPartitionVerifier(partition, { shards: WAKE_SHARDS, nowMs: Date.now() });
  const pages = paginateQuery(
    { client },
    {
      TableName: tableNames.CancellationLog,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: marshall({ ':pk': partition }),
    },
  );
  const wakeUps: { seq: number; wakeAt: string }[] = [];
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const record = toRecord(item);
      verifier.add(record);
      const { wakeAt, fields } = record;
      if (typeof wakeAt === 'string') wakeUps.push({ seq: Number(fields['seq']), wakeAt });
    }
  }
  const { events } = await stage.log.read(partnerId, jobId);
  const state = events.length === 0 ? undefined : stateOf(events);
  return { state, types: events.map(({ type }) => type), wakeUps, verdict: verifier.end() };
};
