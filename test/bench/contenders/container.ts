/**
 * Lambda's Runtime API loop, and the reports of what the process has used. It is bundled to plain CommonJS for all
 * contenders.
 */
import '../../../infra/local/aws/lambda/bootstrap.cjs';
import { probes } from './probe.ts';

function report(line: object): void {
  process.stdout.write(`${JSON.stringify({ probe: line })}\n`);
}

process.on(probes.cpu, () => {
  const { user, system } = process.cpuUsage();
  report({ cpuMs: (user + system) / 1000 });
});
process.on(probes.memory, () => {
  const rss = process.memoryUsage.rss();
  globalThis.gc?.();
  report({ rss, heapUsed: process.memoryUsage().heapUsed });
});
