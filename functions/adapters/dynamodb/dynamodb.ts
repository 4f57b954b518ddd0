import { type AttributeValue, ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Dependency, DependencyUnavailable } from '../../core/report.ts';
import { awsSettings, withoutIdleSteps } from '../aws-settings.ts';

export type Item = Record<string, AttributeValue>;

/**
 * The client of every table. A table answers in single milliseconds, so waiting longer than this is waiting for a
 * broken connection; the SDK tries three times in all, and every write of ours is conditional, so a repeat is safe.
 */
export const createDynamoDbClient = (): DynamoDBClient =>
  withoutIdleSteps(
    new DynamoDBClient({
      ...awsSettings,
      accountIdEndpointMode: 'disabled',
      endpointDiscoveryEnabled: false,
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 1_500, throwOnRequestTimeout: true },
    }),
  );

/** @param fields flat; a field that is undefined is left out */
export const toItem = (fields: Readonly<Record<string, unknown>>): Item =>
  marshall(fields, { removeUndefinedValues: true });

export const fromItem = (item: Item): Record<string, unknown> => unmarshall(item);

/** Runs one request. @throws DependencyUnavailable for whatever the SDK gives up on */
export const ask = async <Answer>(dependency: Dependency, send: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await send();
  } catch (error) {
    throw new DependencyUnavailable(dependency, error);
  }
};

/** Runs one conditional write. @returns whether the condition held @throws DependencyUnavailable */
export const write = async (dependency: Dependency, send: () => Promise<unknown>): Promise<boolean> => {
  try {
    await send();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw new DependencyUnavailable(dependency, error);
  }
};
