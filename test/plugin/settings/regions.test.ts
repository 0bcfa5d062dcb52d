import { expect, it } from '@jest/globals'
import { regionOfUrl } from '../../../plugin/settings/regions.js'

it.each<[string, string | undefined]>([
  ['https://sqs.us-west-2.amazonaws.com/123456789012/q', 'us-west-2'],
  ['https://us-west-2.queue.amazonaws.com/123456789012/q', 'us-west-2'],
  ['https://queue.amazonaws.com/123456789012/q', 'us-east-1'],
  ['https://sqs-fips.us-east-2.amazonaws.com/123456789012/q', 'us-east-2'],
  ['https://sqs.eu-central-1.api.aws/123456789012/q', 'eu-central-1'],
  ['https://sqs-fips.us-east-1.api.aws/123456789012/q', 'us-east-1'],
  [
    'https://vpce-0a1b2c3d4e5f-87654321.sqs.ap-southeast-2.vpce.amazonaws.com/123456789012/q',
    'ap-southeast-2',
  ],
  ['https://vpce-0a1b-abcd-eu-west-1a.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q', 'eu-west-1'],
  ['https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q', 'cn-north-1'],
  ['https://cn-northwest-1.queue.amazonaws.com.cn/123456789012/q', 'cn-northwest-1'],
  ['https://sqs.cn-north-1.api.amazonwebservices.com.cn/123456789012/q', 'cn-north-1'],
  ['https://sqs.us-gov-west-1.amazonaws.com/123456789012/q', 'us-gov-west-1'],
  ['https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/q', 'us-iso-east-1'],
  ['https://sqs.us-isob-east-1.sc2s.sgov.gov/123456789012/q', 'us-isob-east-1'],
  ['https://sqs.eu-isoe-west-1.cloud.adc-e.uk/123456789012/q', 'eu-isoe-west-1'],
  ['https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/q', 'eusc-de-east-1'],
  ['http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q', 'us-east-1'],
  ['http://localhost:4566/queue/eu-north-1/000000000000/q', 'eu-north-1'],
  ['https://sts.amazonaws.com', 'us-east-1'],
  ['http://127.0.0.1:4599/123456789012/us-queue', undefined],
  ['http://localhost:9324/queue/my-queue-1', undefined],
  ['http://my-proxy-1.example.com/123456789012/q', undefined],
  ['no URL', undefined],
])('%s is of %s', (url, region) => {
  expect(regionOfUrl(url)).toBe(region)
})
