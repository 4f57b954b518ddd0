import { inXml } from './ask-aws.ts';
import { type Checked, type Finding, notChecked } from './finding.ts';

interface Certificate {
  readonly DomainName: string;
  readonly SubjectAlternativeNames?: readonly string[];
  readonly Status: string;
  /** Seconds since 1970. */
  readonly NotAfter?: number;
}

/** ACM renews 60 days before the end, if the validation records are still there. */
const renewedDays = 45;
const DAY_MS = 86_400_000;

/** @returns nothing without a domain */
export async function checkDomain(checked: Checked, now: number): Promise<readonly Finding[]> {
  const { domain } = checked.environment;
  if (domain === undefined) return [];
  const findings = [await checkCertificate(checked, now)];
  if (domain.hostedZone !== undefined) findings.push(await checkZone(checked, domain.hostedZone.id));
  if (domain.mutualTls !== undefined) {
    const { bucketName, key } = domain.mutualTls;
    findings.push({
      check: 'trust store',
      state: 'not checked',
      found: `API Gateway reads s3://${bucketName}/${key} during the deployment, and warns of a certificate that it cannot use`,
    });
  }
  return findings;
}

/** That it is issued, covers the name and is renewed. Its region and account are in its ARN, which the schema checks. */
async function checkCertificate({ environment: { domain, region }, ask }: Checked, now: number): Promise<Finding> {
  const check = 'certificate';
  const { name = '', certificateArn = '' } = domain ?? {};
  const describe = `aws acm describe-certificate --certificate-arn ${certificateArn} --region ${region}`;
  const answer = await ask('acm', 'acm:DescribeCertificate', {
    operation: 'DescribeCertificate',
    input: { CertificateArn: certificateArn },
  });
  if (answer.kind === 'error' && answer.code === 'ResourceNotFoundException') {
    const fix = `aws acm request-certificate --domain-name ${name} --validation-method DNS --region ${region}`;
    return { check, state: 'fix', found: 'there is none with this ARN', fix };
  }
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { Certificate: found }: { Certificate: Certificate } = JSON.parse(answer.text);
  if (found.Status === 'PENDING_VALIDATION') {
    const fix = `add the records that this shows: ${describe} --query Certificate.DomainValidationOptions`;
    return { check, state: 'fix', found: 'PENDING_VALIDATION', fix };
  }
  if (found.Status !== 'ISSUED') {
    return { check, state: 'fix', found: found.Status, fix: `request a new one; this says why: ${describe}` };
  }
  const names = [found.DomainName, ...(found.SubjectAlternativeNames ?? [])];
  if (!names.some((covered) => covers(covered, name))) {
    const fix = `aws acm request-certificate --domain-name ${name} --validation-method DNS --region ${region}`;
    return { check, state: 'fix', found: `is for ${[...new Set(names)].join(', ')}, not for ${name}`, fix };
  }
  const days = found.NotAfter === undefined ? undefined : Math.floor((found.NotAfter * 1000 - now) / DAY_MS);
  if (days !== undefined && days < renewedDays) {
    const fix = `see why it was not renewed: ${describe} --query Certificate.RenewalSummary`;
    return { check, state: 'fix', isOfOperation: true, found: `expires in ${days} days`, fix };
  }
  return { check, state: 'ok', found: `ISSUED, covers ${name}` };
}

/** A wildcard stands for one label. */
function covers(covered: string, name: string): boolean {
  return covered === name || (covered.startsWith('*.') && covered.slice(2) === name.split('.').slice(1).join('.'));
}

async function checkZone({ environment: { domain }, ask }: Checked, id: string): Promise<Finding> {
  const check = 'hosted zone';
  const fix = 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account';
  const answer = await ask('route53', 'route53:GetHostedZone', { path: `/2013-04-01/hostedzone/${id}` });
  if (answer.kind === 'error' && answer.code === 'NoSuchHostedZone') {
    return { check, state: 'fix', found: `there is no zone ${id} in the account`, fix };
  }
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const name = (inXml(answer.text, 'Name') ?? '').replace(/\.$/, '');
  if (name !== domain?.hostedZone?.name) {
    return { check, state: 'fix', found: `${id} is ${name}, not ${domain?.hostedZone?.name}`, fix };
  }
  if (inXml(answer.text, 'PrivateZone') === 'true') {
    return { check, state: 'fix', found: `${id} is private: partners cannot look the name up`, fix };
  }
  return { check, state: 'ok', found: name };
}
