import { Resolver } from 'node:dns/promises';

/** The addresses that a host name stands for, to be tried in this order; empty when there are none. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

/**
 * Asks the name servers over the network. `dns.lookup` would hold one of the process's four threads for as long as a
 * partner's name server is silent, and all other work that needs one would wait.
 * @param nameServers `address:port`. @default those of the system
 */
export function createResolveHost(nameServers?: readonly string[]): ResolveHost {
  return async (hostname) => {
    // RFC 6761, 6.3: no name server is asked about it.
    if (hostname === 'localhost') return ['127.0.0.1', '::1'];
    const resolver = new Resolver({ timeout: 1_000, tries: 2 });
    if (nameServers !== undefined) resolver.setServers(nameServers);
    // IPv4 first: a Lambda function outside a VPC has nothing else.
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}
