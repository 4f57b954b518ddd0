import { composeRegistration } from './compose.ts';
import { handleRegisterJob } from './doors/http/handle-register-job.ts';

export const handler = handleRegisterJob(composeRegistration());
