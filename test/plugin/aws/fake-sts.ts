import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StsAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

export interface FakeSts {
  readonly endpoint: string
  /** The forms received. */
  readonly requests: URLSearchParams[]
  /** What the requests to come are answered with; the last one for all others. */
  willAnswer(...answers: ((form: URLSearchParams) => StsAnswer)[]): void
  close(): Promise<void>
}

/** An STS that says what it is told to say. */
export async function startFakeSts(): Promise<FakeSts> {
  const requests: URLSearchParams[] = []
  let answers: ((form: URLSearchParams) => StsAnswer)[] = [granted()]
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await textOf(request))
    requests.push(form)
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as (form: URLSearchParams) => StsAnswer
    const { status, body, headers = {} } = answer(form)
    response.writeHead(status, { 'content-type': 'text/xml', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    willAnswer(...given) {
      answers = given
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export function granted(expiration = '2030-01-01T00:00:00Z', key = 'ASIAEXAMPLE') {
  return (): StsAnswer => ({
    status: 200,
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>${key}</AccessKeyId><SecretAccessKey>assumed-secret</SecretAccessKey>
      <SessionToken>assumed-token</SessionToken><Expiration>${expiration}</Expiration>
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  })
}

export function refused(status: number, code: string, message: string): (form: URLSearchParams) => StsAnswer {
  return (form) => ({
    status,
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
      <Code>${code}</Code><Message>${message.replace('ID', form.get('ExternalId') ?? '')}</Message>
    </Error><RequestId>1</RequestId></ErrorResponse>`,
  })
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
