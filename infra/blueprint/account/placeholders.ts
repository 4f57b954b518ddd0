/** What of an environment is looked at. */
interface Looked {
  readonly name: string;
  readonly account?: string;
  readonly alarmAddresses: { readonly page: readonly string[]; readonly ticket: readonly string[] };
  readonly partners: readonly { readonly partnerId: string; readonly principal: string }[];
}

/** A field that still holds what the repository was published with, or what AWS's documentation uses. */
export interface Placeholder {
  readonly field: 'account' | 'alarmAddresses' | 'partners';
  /** "must …" */
  readonly problem: string;
}

/**
 * The names that are reserved for documentation and tests: nothing that is sent there arrives.
 * @see https://www.rfc-editor.org/rfc/rfc2606
 */
const reservedDomain = /(^|[@.])(example\.(com|net|org)|(.+\.)?(test|example|invalid|localhost))$/i;

/** The account ids in AWS's documentation. A principal in one of them may belong to a stranger. */
const exampleAccounts: ReadonlySet<string> = new Set([
  ...Array.from('0123456789', (digit) => digit.repeat(12)),
  '111122223333',
  '444455556666',
  '777788889999',
  '123456789012',
  '012345678901',
  '012345678910',
  '987654321098',
]);

export function isReservedAddress(address: string): boolean {
  return reservedDomain.test(address);
}

export function isExampleAccount(account: string): boolean {
  return exampleAccounts.has(account);
}

/** What must be replaced before the environment is deployed. In dev nothing: it may be tried as it is published. */
export function placeholdersIn({ name, account, alarmAddresses, partners }: Looked): readonly Placeholder[] {
  if (name === 'dev') return [];
  const reserved = [...alarmAddresses.page, ...alarmAddresses.ticket].filter(isReservedAddress);
  const strangers = partners.filter(({ principal }) => isExampleAccount(/\d{12}/.exec(principal)?.[0] ?? ''));
  return [
    ...(account === undefined
      ? [{ field: 'account', problem: 'must be pinned: the 12 digits of the account that it is deployed to' } as const]
      : []),
    ...(reserved.length > 0
      ? [
          {
            field: 'alarmAddresses',
            problem: `must be addresses that someone reads, not of a reserved domain: ${unique(reserved)}`,
          } as const,
        ]
      : []),
    ...(strangers.length > 0
      ? [
          {
            field: 'partners',
            problem: `must not name a principal in an example account of AWS: ${unique(strangers.map(({ partnerId }) => partnerId))}`,
          } as const,
        ]
      : []),
  ];
}

function unique(values: readonly string[]): string {
  return [...new Set(values)].join(', ');
}
