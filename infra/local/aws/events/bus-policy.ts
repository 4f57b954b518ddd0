/** A statement of an event bus's policy. */
export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string };
  readonly Resource: string;
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** One event that somebody wants to put. */
export interface PutAttempt {
  readonly principalArn: string;
  readonly source: string;
  readonly detailType: string;
}

export type Decision = 'allowed' | 'no_access' | 'wrong_source' | 'wrong_detail_type';

/** The values of a request's condition keys. */
type Context = Readonly<Record<string, readonly string[]>>;

/**
 * Decides as IAM does about a call to a resource that has a policy: a `Deny` wins; a principal of another account
 * needs an `Allow` here. Every principal's own permissions are taken to allow everything: the bus's policy must hold
 * against those.
 * @param account that the bus is in
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function decidePut(
  policy: readonly PolicyStatement[],
  { busArn, account }: { readonly busArn: string; readonly account: string },
  { principalArn, source, detailType }: PutAttempt,
): Decision {
  const own = accountOfArn(principalArn);
  const context: Context = {
    'aws:PrincipalArn': [principalArn],
    'aws:PrincipalAccount': [own],
    'events:source': [source],
    'events:detail-type': [detailType],
  };
  const about = policy.filter(
    ({ Resource, Principal }) => Resource === busArn && isMeant(Principal, own, principalArn),
  );
  const allows = about.filter(({ Effect }) => Effect === 'Allow');
  const some = (statements: readonly PolicyStatement[], ignored: readonly string[] = []): boolean =>
    statements.some(({ Condition }) => holds(Condition, context, ignored));

  const isDenied = some(about.filter(({ Effect }) => Effect === 'Deny'));
  if (!isDenied && (own === account || some(allows))) return 'allowed';
  if (isDenied) return 'wrong_source';
  if (some(allows, ['events:detail-type'])) return 'wrong_detail_type';
  return some(allows, ['events:detail-type', 'events:source']) ? 'wrong_source' : 'no_access';
}

/** @param arn of a role */
export function accountOfArn(arn: string): string {
  return arn.split(':')[4] ?? '';
}

function isMeant(principal: PolicyStatement['Principal'], account: string, principalArn: string): boolean {
  if (principal === '*') return true;
  return [principalArn, account].includes(principal.AWS) || new RegExp(`:iam::${account}:root$`).test(principal.AWS);
}

function holds(conditions: PolicyStatement['Condition'], context: Context, ignored: readonly string[]): boolean {
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(
      ([key, wanted]) =>
        ignored.includes(key) || compare(operator, context[key] ?? [], typeof wanted === 'string' ? [wanted] : wanted),
    ),
  );
}

/** @throws for an operator that it does not know: such a policy must not be played as if it were open */
function compare(operator: string, values: readonly string[], wanted: readonly string[]): boolean {
  const isWanted = (value: string): boolean => wanted.includes(value);
  switch (operator) {
    case 'StringEquals':
    case 'ArnEquals':
    case 'ForAnyValue:StringEquals':
      return values.some(isWanted);
    case 'StringNotEquals':
    case 'ArnNotEquals':
      return !values.some(isWanted);
    case 'ForAllValues:StringEquals':
      return values.every(isWanted);
    case 'Null':
      return wanted.includes(String(values.length === 0));
    default:
      throw new Error(`The local bus does not know the condition operator ${operator}`);
  }
}
