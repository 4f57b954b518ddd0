import { bucketCalls, keyCalls, settingsCalls, trailCalls } from '../../blueprint/access/watched-calls.ts';

// Filter patterns over CloudTrail's records in CloudWatch Logs.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

/** The name of the role whose session made the call. A user and the root of the account have none. */
const role = '$.userIdentity.sessionContext.sessionIssuer.userName';

/**
 * Writes to a table by others than these roles. A transaction and a batch name up to three tables of ours.
 * @param roles names of roles that may write there, and whose writes are in the trail
 */
export function writesPattern(tableArn: string, roles: readonly string[]): string {
  const isTable = anyOf([0, 1, 2].map((index) => `$.resources[${index}].ARN = "${tableArn}"`));
  return all('$.eventCategory = "Data"', isTable, ...roles.map(otherThan));
}

/** Changes of a table's settings, tried or made, by others than the deployment. */
export function settingsPattern(tableName: string, deploymentRole: string): string {
  // A call may give the table's ARN in place of its name.
  const isTable = anyOf(['tableName', 'resourceArn'].map((field) => `$.requestParameters.${field} = "*${tableName}"`));
  const isChange = anyOf(settingsCalls.map((call) => `$.eventName = ${call}`));
  return all('$.eventSource = "dynamodb.amazonaws.com"', isTable, isChange, otherThan(deploymentRole));
}

/** Changes of the trail itself: who switches it off is not seen afterwards. */
export function trailPattern(trailName: string, deploymentRole: string): string {
  const isTrail = anyOf(['name', 'trailName'].map((field) => `$.requestParameters.${field} = "*${trailName}"`));
  const isChange = anyOf(trailCalls.map((call) => `$.eventName = ${call}`));
  return all('$.eventSource = "cloudtrail.amazonaws.com"', isTrail, isChange, otherThan(deploymentRole));
}

/** Changes of a bucket that holds evidence. */
export function bucketPattern(bucketName: string, deploymentRole: string): string {
  const isChange = anyOf(bucketCalls.map((call) => `$.eventName = ${call}`));
  const isBucket = `$.requestParameters.bucketName = "${bucketName}"`;
  return all('$.eventSource = "s3.amazonaws.com"', isBucket, isChange, otherThan(deploymentRole));
}

/** Changes of a key that signs evidence. A call names it by its ARN, or is for one of its aliases. */
export function keyPattern(keyArn: string, deploymentRole: string): string {
  const isKey = anyOf([0, 1].map((index) => `$.resources[${index}].ARN = "${keyArn}"`));
  const isChange = anyOf(keyCalls.map((call) => `$.eventName = ${call}`));
  return all('$.eventSource = "kms.amazonaws.com"', isKey, isChange, otherThan(deploymentRole));
}

function otherThan(roleName: string): string {
  return anyOf([`${role} NOT EXISTS`, `${role} != "${roleName}"`]);
}

function anyOf(conditions: readonly string[]): string {
  return `(${conditions.join(' || ')})`;
}

function all(...conditions: readonly string[]): string {
  return `{ ${conditions.join(' && ')} }`;
}
