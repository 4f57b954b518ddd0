import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Environment } from '../blueprint/environment-schema.ts';
import { sandboxTable } from '../blueprint/tables.ts';
import { BundledFunction } from './bundled-function.ts';

export interface SandboxProps {
  readonly environment: Environment;
  /** Of the secret with the key that the service sends: the simulator accepts only that key. */
  readonly plangrepKeyArn: string;
}

/**
 * The simulator that takes Plangrep's place: a function with its own https origin, and a table for the state of its jobs.
 * It exists while the environment says `sandbox`, and leaves nothing behind.
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
    // Open to all requests, as Plangrep is; like Plangrep it checks the key.
    this.url = alias.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
  }
}
