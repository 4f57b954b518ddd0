import { functions } from '../../infra/blueprint/functions.ts';

/** What every function needs to load: each variable that one has, and addresses where no one answers. */
export const functionEnvironment = {
  ...Object.fromEntries(Object.values(functions).flatMap((each) => each.environment.map((name) => [name, 'x']))),
  ENVIRONMENT: 'local',
  PLANGREP_BASE_URL: 'http://127.0.0.1:9',
  EVENTS_MAX_RECEIVES: '1',
  RETENTION_DAYS: 'events=90&requests=30&jobs=30',
  SEAL_MARGIN_SECONDS: '60',
  EVENTS_DEAD_LETTERS_URL: 'http://127.0.0.1:9/dead-letters',
  WAKE_UP_QUEUE_URL: 'http://127.0.0.1:9/wake-ups',
  CALLBACK_QUEUE_URL: 'http://127.0.0.1:9/callbacks',
  EVENTBRIDGE_URL: 'http://127.0.0.1:9',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9',
  AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9',
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
  AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:9',
};
