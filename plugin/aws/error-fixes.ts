import { FirehoseError } from '../errors.js'
import { type CalledService, describeError } from './describe-error.js'
import { causeOf } from './error-classes.js'
import type { ErrorCause } from './error-table.js'
import { allowKey, allowStreams } from './stream-policy.js'

/** What a fix depends on, beside the error. */
export interface FixContext extends CalledService {
  /** The role whose credentials are used; `undefined` where they are those of this process. */
  readonly roleAddress?: string | undefined
  /** ARN of the stream that was written. */
  readonly streamArn?: string | undefined
  /** ARN of the stream's key, where the settings name it. */
  readonly kmsKey?: string | undefined
}

/** {@link describeError}, and how to mend it: each cause has its own fix. */
export function explainError(thrown: unknown, context: FixContext): Error {
  // Ours has its fix already.
  if (thrown instanceof FirehoseError) return thrown
  const error = describeError(thrown, context)
  const fix = fixOf(thrown, context)
  if (fix !== undefined) error.message = `${error.message}; ${fix}`
  return error
}

/** How to mend an error; `undefined` where its message says all there is to say. */
export function fixOf(error: unknown, context: FixContext): string | undefined {
  const fix = FIXES[causeOf(error)]
  return typeof fix === 'function' ? fix(context, messageOf(error)) : fix
}

type Fix = string | undefined | ((context: FixContext, message: string) => string | undefined)

const TRUST =
  'check that the role exists, that its trust policy names these AWS credentials as principal, that their own policy ' +
  "allows sts:AssumeRole on it, and that its sts:ExternalId is this source's ID or secret ID"

const QUEUE_ACTIONS =
  'allow sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and ' +
  'sqs:GetQueueAttributes on it'

const KEY_ARN = /\barn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+/

const FIXES: Readonly<Record<ErrorCause, Fix>> = {
  throttled: ({ service }) =>
    service === 'Firehose' ? "raise the stream's quota, or send less" : 'AWS asks for fewer calls',
  failing: 'this is a failure inside AWS: where it lasts, see the AWS Health Dashboard',
  silent: ({ service }) =>
    `see that ${service} can be reached from here through firewall, security groups, VPC endpoint and proxy` +
    (service === 'Firehose' || service === 'STS' ? '; where it is only slow, raise requestTimeout' : ''),
  reset: 'something on the way cuts connections: look at the firewall, the NAT gateway or the proxy',
  unreachable:
    'no way leads there from here: look at the network, the security groups and the firewall; where a proxy leads ' +
    'out, name it in HTTPS_PROXY',
  'refused-connection': ({ service }) =>
    `nothing listens there: check ${endpointOf(service)}, and the proxy if one is set`,
  'unknown-host': ({ service, region }) =>
    `there is no such host: check the region, ${region}, and ${endpointOf(service)}, and that this machine can look up ` +
    'names outside of its network',
  dns: 'no name server answers: check the DNS settings of this machine or container',
  certificate:
    'the certificate is not trusted here: where a proxy inspects TLS, name the file of its CA in NODE_EXTRA_CA_CERTS; ' +
    "else check the endpoint's host and this machine's clock",
  'no-tls':
    "what answers there speaks no TLS: check http and https in the endpoint's URL and in that of the proxy",
  'open-files':
    'this process has as many files open as it may: raise the limit (ulimit -n, LimitNOFILE= in systemd)',
  proxy: 'check the proxy, in HTTPS_PROXY or httpsProxy; NO_PROXY names hosts that need none',
  'proxy-password': "give the proxy's user name and password in its URL, http://USER:PASSWORD@HOST:PORT",
  'bad-header':
    'a key or the session token holds a character that no header may have: look for a line break at its end',
  clock: "this machine's clock is wrong: have it set by NTP",
  scope: ({ service, region }) =>
    `the request was signed for ${region}, and the endpoint is one of another region: make the region and ` +
    `${endpointOf(service)} agree`,
  expired: ({ service, roleAddress }) =>
    service === 'Firehose' && roleAddress !== undefined
      ? "the role's session has ended, and a new one is fetched"
      : "this process's own AWS credentials have expired: sign in anew, or give it fresh ones and restart it; keys in " +
        'the environment are never renewed while it runs',
  'unknown-key':
    'AWS does not know the access key: it was deleted or switched off, belongs to another partition, or lacks the ' +
    'AWS_SESSION_TOKEN that goes with a temporary key',
  signature:
    'the secret access key does not belong to the access key ID: copy both again, without a line break at the end',
  'no-credentials': ({ service }) =>
    `give this process AWS credentials${service === 'STS' ? ' to assume it with' : ''}, from the environment, a profile ` +
    'or its machine',
  'credentials-away':
    'what gives the credentials does not answer: look at the ECS agent, EKS Pod Identity, the instance metadata or the ' +
    'credential_process',
  'credentials-file': 'see that the file is there and that this process may read it',
  sso: 'sign in anew with `aws sso login`',
  'web-identity':
    "check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, and that the role trusts the cluster's OIDC provider",
  'identity-provider': "STS does not reach the cluster's OIDC provider",
  denied: deniedFix,
  'denied-role': TRUST,
  'denied-session':
    'its trust policy has to allow sts:TagSession where assumeRole has tags, and sts:SetSourceIdentity where it has a ' +
    'sourceIdentity: `analytics-firehose iam` prints it',
  'kms-denied': kmsFix,
  'kms-key': 'see that the KMS key exists, is enabled and may be used: its state and its key policy say so',
  missing: ({ service, region }) =>
    service === 'SQS'
      ? `make the queue, or give { queueUrl, region }, and ${QUEUE_ACTIONS}`
      : `check the stream's name and its region: there is none of that name in ${region}`,
  'stream-type': 'take a stream whose source is Direct PUT',
  source: 'the stream cannot read its source: look at it in the Firehose console',
  busy: 'it is being created or changed: wait until it is ready',
  'region-disabled': ({ region }) => `switch ${region} on in the account, and STS in it`,
  account: 'the account may not use this service: look at it in the AWS console',
  'session-length':
    "lower assumeRole.durationSeconds, or raise the role's MaxSessionDuration; a role that assumes a role gets 3600 s at " +
    'most',
  'session-size': 'give fewer or shorter tags in assumeRole',
  'invalid-request': ({ service }) => (service === 'STS' ? TRUST : undefined),
  invalid: ({ service }) => (service === 'STS' ? 'check what assumeRole has' : undefined),
  'too-large': undefined,
  receipt: undefined,
  'not-aws': 'what answers there is not AWS: check the endpoint, and what stands between here and AWS',
  refused: ({ service }) => (service === 'STS' ? TRUST : undefined),
  unknown: undefined,
}

function deniedFix({ service, streamArn, roleAddress }: FixContext, message: string): string {
  if (service === 'STS') return TRUST
  // AWS names the kind of policy, which is not always the role's own.
  const deny = /with an explicit deny in an? ([a-z- ]+? policy|permissions boundary)/i.exec(message)?.[1]
  if (deny !== undefined) return `the ${deny} refuses it: change that one`
  if (service === 'SQS') return QUEUE_ACTIONS
  const statement =
    streamArn === undefined ? 'firehose:PutRecordBatch' : JSON.stringify(allowStreams([streamArn]))
  return `add to the policy of ${roleAddress === undefined ? 'these AWS credentials' : 'the role'}: ${statement}`
}

/** @see https://docs.aws.amazon.com/firehose/latest/dev/encryption.html */
function kmsFix({ service, roleAddress, kmsKey }: FixContext, message: string): string {
  const key =
    KEY_ARN.exec(message)?.[0] ?? kmsKey ?? `the ARN of the ${service === 'SQS' ? 'queue' : 'stream'}'s key`
  const who = service === 'Firehose' && roleAddress !== undefined ? 'the role' : 'these AWS credentials'
  return (
    `whoever writes has to be allowed to use the key: add to the policy of ${who}: ${JSON.stringify(allowKey([key]))}, ` +
    'and see that the key policy lets the account decide'
  )
}

function endpointOf(service: FixContext['service']): string {
  if (service === 'SQS') return "the queue's URL"
  return service === 'STS' ? 'stsEndpoint' : 'endpoint'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
