import { composeRegistration, prepareReading } from './compose/compose-serving.ts';
import { connectFirst } from './connect-first.ts';
import { handleRegisterJob } from './doors/http/handle-register-job.ts';

const ports = composeRegistration();
export const handler = connectFirst(handleRegisterJob(ports));
export const prepared = prepareReading(ports);
