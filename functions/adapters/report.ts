import { type Report, reportLevels } from '../core/report.ts';

/**
 * One object a line: Lambda's JSON log format adds time, level and requestId (AWS Lambda Developer Guide, Log and
 * monitor Node.js functions), so no logging library is needed.
 */
export const report: Report = (code, fields = {}) => console[reportLevels[code]]({ code, ...fields });
