import { composeCredentialCheck } from './compose/compose-serving.ts';
import { handleAuthorization } from './doors/http/check-credential.ts';

export const handler = handleAuthorization(composeCredentialCheck());
