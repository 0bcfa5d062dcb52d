import type { ServeConfig } from './config/proxy-config.js'

/** The write key of {@link DEMO_CONFIG}: no secret, as it works on a local AWS alone. */
export const DEMO_WRITE_KEY = 'demo-write-key'

/** What `serve --local-aws` serves without a config file: its role and external ID make a real AssumeRole call. */
export const DEMO_CONFIG: ServeConfig = {
  sources: [
    {
      id: 'demo-source',
      name: 'Demo',
      writeKey: DEMO_WRITE_KEY,
      destination: {
        region: 'us-west-2',
        roleAddress: 'arn:aws:iam::123456789012:role/segment-firehose',
        mappedStreams: [
          { event: 'User Registered', stream: 'new_users' },
          { event: 'page', stream: 'page_views' },
          { event: '*', stream: 'everything' },
        ],
      },
    },
  ],
}
