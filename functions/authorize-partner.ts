import { composeCredentialCheck } from './compose.ts';
import { handleAuthorization } from './doors/http/check-credential.ts';

export const handler = handleAuthorization(composeCredentialCheck());
