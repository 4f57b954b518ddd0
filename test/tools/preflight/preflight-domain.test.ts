import { test } from 'vitest';
import { type Defect, domain, givenPreflight, now, withDomain } from './given-preflight.ts';
import { certificate, certificateArn, region, zone } from './recorded-accounts.ts';
import { json, xmlError } from './recorded-aws.ts';

const given = givenPreflight();
const certificateCommand = `aws acm describe-certificate --certificate-arn ${certificateArn} --region ${region}`;
const newCertificate = `aws acm request-certificate --domain-name cancel.plangrep.com --validation-method DNS --region ${region}`;

/** Each is the only defect of the healthy account. */
const defects: Readonly<Record<string, Defect>> = {
  'a certificate that waits for its records': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ Status: 'PENDING_VALIDATION' }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'PENDING_VALIDATION',
      fix: `add the records that this shows: ${certificateCommand} --query Certificate.DomainValidationOptions`,
    },
  },
  'a certificate whose validation failed': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ Status: 'FAILED' }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'FAILED',
      fix: `request a new one; this says why: ${certificateCommand}`,
    },
  },
  'a certificate for another name': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ SubjectAlternativeNames: ['*.api.plangrep.com'] }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      found: 'is for plangrep.com, *.api.plangrep.com, not for cancel.plangrep.com',
      fix: newCertificate,
    },
  },
  'a certificate that is not renewed': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': certificate({ NotAfter: now / 1000 + 10.5 * 86_400 }) },
    finding: {
      check: 'certificate',
      state: 'fix',
      isOfOperation: true,
      found: 'expires in 10 days',
      fix: `see why it was not renewed: ${certificateCommand} --query Certificate.RenewalSummary`,
    },
  },
  'a certificate that is not there': {
    environment: withDomain,
    answers: { 'acm:DescribeCertificate': json(400, { __type: 'ResourceNotFoundException', message: 'none' }) },
    finding: { check: 'certificate', state: 'fix', found: 'there is none with this ARN', fix: newCertificate },
  },
  'a zone of another name': {
    environment: withDomain,
    answers: { 'route53:GetHostedZone': zone('plangrep.net') },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'Z0123456789 is plangrep.net, not plangrep.com',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a private zone': {
    environment: withDomain,
    answers: { 'route53:GetHostedZone': zone('plangrep.com', true) },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'Z0123456789 is private: partners cannot look the name up',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a zone that is not there': {
    environment: withDomain,
    answers: {
      'route53:GetHostedZone': xmlError(404, 'NoSuchHostedZone', 'No hosted zone found with ID: Z0123456789'),
    },
    finding: {
      check: 'hosted zone',
      state: 'fix',
      found: 'there is no zone Z0123456789 in the account',
      fix: 'domain.hostedZone: aws route53 list-hosted-zones shows those of the account',
    },
  },
  'a trust store': {
    environment: {
      ...withDomain,
      domain: { ...domain, mutualTls: { bucketName: 'clients', key: 'ca.pem', version: 'v1' } },
    },
    finding: {
      check: 'trust store',
      state: 'not checked',
      found:
        'API Gateway reads s3://clients/ca.pem during the deployment, and warns of a certificate that it cannot use',
    },
  },
};

test.each(Object.entries(defects))('a healthy account but for %s', (_, defect) => given.expectOnly(defect));
