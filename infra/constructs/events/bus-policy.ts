import { Aws } from 'aws-cdk-lib';
import { CfnEventBusPolicy, type IEventBus } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { busStatements } from '../../blueprint/bus-policy.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';

export interface BusPolicyProps {
  readonly environment: Environment;
  readonly bus: IEventBus;
  /** Of the function that announces closed and refused cancellations. */
  readonly announcerRoleArn: string;
}

/** Who may put which events on the bus. On a bus that was there before, these statements come beside its own. */
export class BusPolicy extends Construct {
  constructor(scope: Construct, id: string, { environment, bus, announcerRoleArn }: BusPolicyProps) {
    super(scope, id);
    const place = {
      busArn: bus.eventBusArn,
      accountId: Aws.ACCOUNT_ID,
      partition: Aws.PARTITION,
      announcerRoleArn,
    };
    for (const statement of busStatements(environment.partners, place)) {
      new BusStatement(this, statement.Sid, {
        eventBusName: bus.eventBusName,
        statementId: statement.Sid,
        statement,
      });
    }
  }
}

class BusStatement extends CfnEventBusPolicy {
  /** Not set. cdk-nag reads it, and CDK would warn at each synth that it is deprecated. */
  override get principal(): string | undefined {
    return undefined;
  }
}
