import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Environment } from '../blueprint/environments.ts';
import { sandboxTable } from '../blueprint/tables.ts';
import { BundledFunction } from './bundled-function.ts';

export interface SandboxProps {
  readonly environment: Environment;
  /** Of the secret whose key the service sends: the simulator takes that one and no other. */
  readonly plangrepKeyArn: string;
}

/**
 * Plangrep's stand-in, whole: a function behind an https origin of its own, and a table for what its jobs remember. It
 * comes and goes with `sandbox` in the environment, and leaves nothing behind.
 */
export class Sandbox extends Construct {
  /** For `PLANGREP_BASE_URL`. */
  readonly url: string;

  constructor(scope: Construct, id: string, { environment, plangrepKeyArn }: SandboxProps) {
    super(scope, id);
    const table = new TableV2(this, 'Table', {
      partitionKey: { name: sandboxTable.partitionKey, type: AttributeType.STRING },
      timeToLiveAttribute: sandboxTable.timeToLive,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { alias } = new BundledFunction(this, 'simulate-plangrep', {
      name: 'simulate-plangrep',
      environment,
      variables: { SANDBOX_TABLE: table.tableName, PLANGREP_SECRET_ID: plangrepKeyArn },
      arns: { SandboxTable: table.tableArn, PlangrepKey: plangrepKeyArn },
    });
    // Open to requests as Plangrep is, and like Plangrep it answers none without the key.
    this.url = alias.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
  }
}
