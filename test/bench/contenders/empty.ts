/** What any function costs: a process, the runtime's loop, an answer. */
export const handler = async (): Promise<object> => ({ statusCode: 200, body: '{}' });
