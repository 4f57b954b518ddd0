import { CannotDo } from '../command.ts';
import { explainFailure } from './explain-failure.ts';
import type { Place } from './place.ts';

/** A credential of one environment must not be sent to another, or to a stranger. @throws CannotDo (2) */
export async function refuseAnotherApi(place: Place, url: URL): Promise<void> {
  const hosts = await place.apiHosts().catch((error: unknown) => {
    throw explainFailure(error, place.where) ?? error;
  });
  if (hosts.includes(url.hostname)) return;
  const known = hosts.join(', ') || 'nowhere: its service stack has no API';
  throw new CannotDo(2, `The address is not the API of ${place.environment}, which answers at ${known}.`);
}
