import { CfnOutput } from 'aws-cdk-lib';
import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { CustomDomain } from '../../blueprint/environment-schema.ts';

export interface ApiDomainProps {
  readonly domain: CustomDomain;
  readonly api: RestApi;
}

/** The API's domain name: TLS 1.2 or newer, with client certificates where the environment asks for them. */
export class ApiDomain extends Construct {
  constructor(scope: Construct, id: string, { domain, api }: ApiDomainProps) {
    super(scope, id);
    const { name, certificateArn, mutualTls, hostedZone } = domain;
    const domainName = new DomainName(this, 'Name', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
      ...(mutualTls !== undefined && {
        mtls: {
          bucket: Bucket.fromBucketName(this, 'TrustStore', mutualTls.bucketName),
          key: mutualTls.key,
          version: mutualTls.version,
        },
      }),
    });
    domainName.addBasePathMapping(api, { stage: api.deploymentStage });
    if (hostedZone !== undefined) {
      const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
        hostedZoneId: hostedZone.id,
        zoneName: hostedZone.name,
      });
      const target = RecordTarget.fromAlias(new ApiGatewayDomain(domainName));
      new ARecord(this, 'Record', { zone, recordName: `${name}.`, target });
    }
    new CfnOutput(this, 'Target', {
      description: `What the name ${name} must point to`,
      value: domainName.domainNameAliasDomainName,
    });
  }
}
