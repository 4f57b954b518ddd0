import { composeRegistration } from './compose.ts';
import { connectFirst } from './connect-first.ts';
import { handleRegisterJob } from './doors/http/handle-register-job.ts';

export const handler = connectFirst(handleRegisterJob(composeRegistration()));
