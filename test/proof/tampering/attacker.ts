import { createHash } from 'node:crypto';
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { type Fields, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { createSigner } from '../../../functions/adapters/kms/signer.ts';
import { type Digest, type DigestFile, digestFile, digestText } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { watchedCalls } from '../../../infra/blueprint/access/watched-calls.ts';
import type { TableName } from '../../../infra/blueprint/tables.ts';
import { type Actor, type Refuser, refuserOf, type Request } from './rights.ts';
import { archiveBucket, sealAlias, type Stage } from './stage.ts';

/** A write that a policy, a role or the store itself does not let through. */
export class Refused extends Error {
  readonly by: Refuser;
  constructor(by: Refuser) {
    super(`refused by ${by}`);
    this.by = by;
  }
}

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Somebody with some rights: every call is decided by the policies of `prod`, and then made for real. */
export class Attacker {
  private readonly stage: Stage;
  private readonly actor: Actor;

  constructor(stage: Stage, actor: Actor) {
    this.stage = stage;
    this.actor = actor;
  }

  /** @throws Refused */
  ask(request: Request): void {
    const by = refuserOf(this.actor, request);
    if (by !== undefined) throw new Refused(by);
  }

  /** Puts a record into the log, whatever stands there. */
  async put(item: Fields): Promise<void> {
    this.ask({ on: 'CancellationLog', action: 'PutItem', attributes: Object.keys(item) });
    const { client } = this.stage.tables;
    await client.send(new PutItemCommand({ TableName: this.stage.logTable, Item: toItem(item) }));
  }

  /** @param set attributes; undefined removes one */
  async update({ pk, sk }: Key, set: Fields): Promise<void> {
    const names = Object.keys(set);
    this.ask({ on: 'CancellationLog', action: 'UpdateItem', attributes: ['pk', 'sk', ...names] });
    const kept = names.filter((name) => set[name] !== undefined);
    const gone = names.filter((name) => set[name] === undefined);
    const clauses = [
      ...(kept.length > 0 ? [`SET ${kept.map((name) => `#${name} = :${name}`).join(', ')}`] : []),
      ...(gone.length > 0 ? [`REMOVE ${gone.map((name) => `#${name}`).join(', ')}`] : []),
    ];
    const update = {
      TableName: this.stage.logTable,
      Key: toItem({ pk, sk }),
      UpdateExpression: clauses.join(' '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ...(kept.length > 0 && {
        ExpressionAttributeValues: toItem(Object.fromEntries(kept.map((name) => [`:${name}`, set[name]]))),
      }),
    };
    await this.stage.tables.client.send(new UpdateItemCommand(update));
  }

  async delete({ pk, sk }: Key): Promise<void> {
    this.ask({ on: 'CancellationLog', action: 'DeleteItem', attributes: ['pk', 'sk'] });
    const remove = new DeleteItemCommand({ TableName: this.stage.logTable, Key: toItem({ pk, sk }) });
    await this.stage.tables.client.send(remove);
  }

  /** Changes a table's settings. What CloudTrail watches for rings. */
  change(table: TableName, action: string): void {
    this.ask({ on: table, action });
    if (watchedCalls.includes(action)) this.stage.trail.push(action);
  }

  /** Puts an object under a name that is free. */
  putObject(name: string, text: string): Promise<void> {
    return this.sendObject(name, text, true);
  }

  /** Puts an object over another one: Object Lock keeps the version before, and shows the new one. */
  overwriteObject(name: string, text: string): Promise<void> {
    return this.sendObject(name, text, false);
  }

  async editObject(name: string, change: (text: string) => string): Promise<void> {
    await this.overwriteObject(name, change(await this.stage.text(name)));
  }

  private async sendObject(name: string, text: string, isConditional: boolean): Promise<void> {
    this.ask({ on: 'archive', action: 'PutObject', name, isConditional });
    const put = new PutObjectCommand({
      Bucket: archiveBucket,
      Key: name,
      Body: text,
      ChecksumSHA256: createHash('sha256').update(text).digest('base64'),
      ...(isConditional && { IfNoneMatch: '*' }),
    });
    await this.send(() => this.stage.s3.send(put));
  }

  /** What a list and a read show is gone; under Object Lock the version stays. */
  async hideObject(name: string): Promise<void> {
    this.ask({ on: 'archive', action: 'DeleteObject', name });
    await this.send(() => this.stage.s3.send(new DeleteObjectCommand({ Bucket: archiveBucket, Key: name })));
  }

  /** Every version goes. */
  async destroyObject(name: string): Promise<void> {
    this.ask({ on: 'archive', action: 'DeleteObjectVersion', name });
    const versions = await this.stage.s3.send(new ListObjectVersionsCommand({ Bucket: archiveBucket, Prefix: name }));
    for (const { VersionId, Key: key } of versions.Versions ?? []) {
      const removal = { Bucket: archiveBucket, Key: key, VersionId, BypassGovernanceRetention: true };
      await this.send(() => this.stage.s3.send(new DeleteObjectCommand(removal)));
    }
  }

  /** With the key that seals. */
  async sealDigest(digest: Digest): Promise<DigestFile> {
    this.ask({ on: 'key', action: 'Sign' });
    const signer = createSigner(this.stage.kms, sealAlias);
    return digestFile(digest, await signer.sign(Buffer.from(sha256(digestText(digest)), 'hex')));
  }

  private async send(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      if (error.$metadata.httpStatusCode === 412) throw new Refused('a name that is taken');
      if (error.name === 'AccessDenied') throw new Refused('Object Lock');
      throw error;
    }
  }
}
