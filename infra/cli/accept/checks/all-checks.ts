import type { Check } from '../check.ts';
import { functionChecks } from './aws/functions.ts';
import { logChecks } from './aws/logs.ts';
import { outgoingChecks } from './outgoing.ts';
import { permissionChecks } from './aws/permissions.ts';
import { watchingChecks } from './aws/watching.ts';
import { bodyChecks } from './bodies.ts';
import { callbackChecks } from './callbacks.ts';
import { cancelChecks } from './cancels.ts';
import { credentialChecks } from './credentials.ts';
import { eventChecks } from './events.ts';
import { limitChecks } from './limits.ts';
import { pageChecks } from './pages.ts';
import { routeChecks } from './routes.ts';
import { transportChecks } from './transport.ts';
import { wakeUpChecks } from './wake-ups.ts';

/** Every check, in the order in which a reader looks for the cause: what the others stand on comes first. */
export const allChecks: readonly Check[] = [
  ...transportChecks,
  ...routeChecks,
  ...pageChecks,
  ...credentialChecks,
  ...bodyChecks,
  ...cancelChecks,
  ...wakeUpChecks,
  ...eventChecks,
  ...outgoingChecks,
  ...callbackChecks,
  ...functionChecks,
  ...permissionChecks,
  ...watchingChecks,
  ...logChecks,
  ...limitChecks,
];
