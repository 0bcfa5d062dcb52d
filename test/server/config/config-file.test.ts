import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import { parseConfigFile, readConfigFile } from '../../../server/config/config-file.js'
import { tempDir } from '../temp-dir.js'

const FILE = `
listen: { host: 127.0.0.1, port: 8080 }
sources:
  - id: src_web                     # Segment's source ID
    name: Website
    writeKey: \${WEB_WRITE_KEY}      # from the environment
    destination:
      region: eu-west-1
      roleAddress: arn:aws:iam::123456789012:role/segment-firehose
      mappedStreams:
        - { event: User Registered, stream: new_users }
        - { event: '*', stream: everything }
`

describe('a config file', () => {
  it('is not quoted on the console, whatever YAML makes of it', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
    parseConfigFile('{ [secret-key]: x }', { env: {} })
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  it('is read', async () => {
    const file = join(tempDir(), 'analytics-firehose.yaml')
    writeFileSync(file, FILE)
    expect(await readConfigFile(file, { env: { WEB_WRITE_KEY: 'k1' } })).toMatchObject({
      configuration: {
        listen: { host: '127.0.0.1', port: 8080 },
        sources: [
          {
            id: 'src_web',
            name: 'Website',
            writeKeys: ['k1'],
            destinations: [
              {
                region: 'eu-west-1',
                roleAddress: 'arn:aws:iam::123456789012:role/segment-firehose',
                externalId: 'src_web',
                mapping: [
                  { event: 'user registered', stream: 'new_users' },
                  { event: '*', stream: 'everything' },
                ],
              },
            ],
          },
        ],
      },
    })
  })

  it('cannot be changed in its shape by a variable', () => {
    const hostile = 'x\n    destination: { region: us-east-1 }'
    // It stays one value, of which one thing is wrong.
    expect(parseConfigFile(FILE, { env: { WEB_WRITE_KEY: hostile } })).toEqual({
      problems: [
        'sources[0].writeKey: got a value (kept secret); give the write key without spaces around it and line breaks, which no sender sends',
      ],
    })
  })

  it('may say once what its sources share, in a part of its own', () => {
    const sources = Array.from({ length: 500 }, (_, i) => [
      `  - { <<: *source, id: src_${i}, writeKey: k${i}, destination: { <<: *eu, mappedStreams: { page: p${i} } } }`,
    ])
    const text = [
      'x-eu: &eu { region: "${REGION}", mappedStreams: { "*": all } }',
      'x-source: &source { ip: drop, destination: *eu }',
      'x-unused: ${NOT_SET}',
      'sources:',
      ...sources,
      '  - { <<: *source, id: src_last, writeKey: last }',
    ].join('\n')
    const read = parseConfigFile(text, { env: { REGION: 'eu-west-1' } })
    expect('configuration' in read && read.configuration.sources).toHaveLength(501)
    expect('configuration' in read && read.configuration.sources.slice(499)).toMatchObject([
      {
        id: 'src_499',
        ip: 'drop',
        destinations: [{ region: 'eu-west-1', mapping: [{ event: 'page', stream: 'p499' }] }],
      },
      { ip: 'drop', destinations: [{ region: 'eu-west-1', mapping: [{ event: '*', stream: 'all' }] }] },
    ])
  })

  it('has such parts at its top alone', () => {
    const text =
      'sources: [{ id: src_web, writeKey: k, x-note: 1, destination: { mappedStreams: { "*": s } } }]'
    const read = parseConfigFile(text, { env: {} })
    expect('problems' in read && read.problems).toEqual([
      expect.stringMatching(/^sources\[0]\.x-note: is not a setting; known are /),
    ])
  })

  it('may have write keys unset for who needs none', () => {
    expect(parseConfigFile(FILE, { env: {}, mayBeUnset: ['writeKey'] })).toHaveProperty('configuration')
  })

  it.each<[string, string, string[]]>([
    ['empty', '# nothing', ['is empty; give it sources']],
    ['no object', 'x', ['got "x"; give an object with sources']],
    [
      'a key twice',
      'sources: []\nsources: []',
      ['is not valid YAML: Map keys must be unique at line 2, column 1'],
    ],
    [
      'a quote that does not end',
      'sources:\n  - "x',
      ['is not valid YAML: Missing closing "quote at line 2, column 7'],
    ],
    [
      'a variable in brackets',
      'sources: [${A}]',
      [
        expect.stringMatching(
          /at line 1, column \d+; inside \[ ] and \{ } put variables in quotes$/,
        ) as unknown as string,
      ],
    ],
    [
      'an asterisk without quotes',
      FILE.replace("'*'", '*'),
      ["is not valid YAML: Alias cannot be an empty string at line 12, column 20; write '*' in quotes"],
    ],
    [
      'an asterisk without quotes as a key',
      'mappedStreams:\n  *: everything',
      ["is not valid YAML: Unexpected scalar at node end at line 2, column 6; write '*' in quotes"],
    ],
    [
      'an asterisk without quotes as a key in braces',
      'mappedStreams: { *: everything }',
      ["is not valid YAML: Missing , or : between flow map items at line 1, column 21; write '*' in quotes"],
    ],
    [
      'an alias bomb',
      `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdef'
        .split('')
        .map((it, i) => `${it}: &${it} [${Array(10).fill(`*${'abcde'[i]}`).join(', ')}]`)
        .join('\n')}`,
      ['is not valid YAML: Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'an alias bomb of merge keys',
      `a: &a { k: 1, l: 1 }\n${[...'bcdefghijklmnop']
        .map(
          (it, i) =>
            `${it}: &${it} { k: { <<: *${'abcdefghijklmno'[i]} }, l: { <<: *${'abcdefghijklmno'[i]} } }`,
        )
        .join('\n')}`,
      ['is not valid YAML: Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'a merge key without a map',
      '<<: *secret-key',
      [
        'is not valid YAML: Merge sources must be maps or map aliases; write <<: *name, with a map after &name before it',
      ],
    ],
    [
      'a map merged into itself',
      'sources: [&all { more: { <<: *all } }]',
      ['holds itself: an alias (*) stands inside its own anchor (&)'],
    ],
    [
      'a write key that YAML takes for an alias',
      'writeKey: *secret-key',
      [
        'is not valid YAML: Unresolved alias (the anchor must be set before the alias); put values that begin with * in quotes',
      ],
    ],
    [
      'an alias inside its own anchor',
      'sources: &all [{ id: src_web, more: *all }]',
      ['holds itself: an alias (*) stands inside its own anchor (&)'],
    ],
    [
      'a variable that is not set, beside other problems',
      FILE.replace('region: eu-west-1', 'region: ${REGION}').replace(
        'stream: everything',
        'stream: every thing',
      ),
      [
        'sources[0].writeKey: the environment variable WEB_WRITE_KEY is not set; set it, or write ${WEB_WRITE_KEY:-default}',
        'sources[0].destination.region: the environment variable REGION is not set; set it, or write ${REGION:-default}',
        expect.stringContaining('sources[0].destination.mappedStreams[1].stream') as unknown as string,
      ],
    ],
    [
      'an unknown key',
      FILE.replace('writeKey:', 'write_key:'),
      [
        expect.stringContaining('WEB_WRITE_KEY is not set') as unknown as string,
        'sources[0].writeKey: is missing; give the write key in quotes, or a list of them',
        'sources[0].write_key: is not a setting. Did you mean `writeKey`?',
      ],
    ],
  ])('is told what is wrong: %s', (_name, text, lines) => {
    const read = parseConfigFile(text, { env: {} })
    expect('problems' in read && read.problems).toEqual(lines)
  })

  it.each([
    [
      'that is not there',
      (dir: string) => join(dir, 'x.yaml'),
      'cannot be read: there is no such file',
      true,
    ],
    ['that is a directory', (dir: string) => dir, 'cannot be read: it is a directory', false],
  ])('%s is told', async (_name, path, problem, isMissing) => {
    expect(await readConfigFile(path(tempDir()), { env: {} })).toEqual({ problems: [problem], isMissing })
  })

  it('is there, whatever it says', async () => {
    const file = join(tempDir(), 'config.yaml')
    writeFileSync(file, '[]')
    expect(await readConfigFile(file, { env: {} })).toMatchObject({ isMissing: false })
  })
})
