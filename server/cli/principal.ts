import { InvalidArgumentError } from 'commander'

/** Who assumes the roles. */
export interface Principal {
  /** ARN of a user, role or root, or the ID of an account. */
  readonly principal: string
  /** What whoever gave it should know. */
  readonly note: string | undefined
}

/**
 * Reads the principal of the command line. The next session of a role has another ARN, and a policy that names this
 * one does not let it in: the role is meant.
 *
 * @throws InvalidArgumentError
 */
export function parsePrincipal(text: string): Principal {
  const session = /^(arn:[^:]+):sts::(\d{12}):assumed-role\/([^/]+)\/.+$/.exec(text)
  if (session !== null) {
    const [, partition, account, name] = session
    const principal = `${partition}:iam::${account}:role/${name}`
    // The ARN of a session leaves the path out, which all roles of AWS IAM Identity Center have.
    const note = `--principal: took the role of this session, ${principal}; if the role has a path, as those of SSO have, give the ARN that \`aws iam get-role --role-name ${name} --query Role.Arn\` tells`
    return { principal, note }
  }
  const isTaken = /^\d{12}$|^arn:[^:]+:(iam|sts)::\d{12}:(?!assumed-role\/).+$/.test(text)
  if (isTaken) return { principal: text, note: undefined }
  throw new InvalidArgumentError(
    'Give an ARN, such as arn:aws:iam::111122223333:role/proxy, or the ID of an account.',
  )
}
