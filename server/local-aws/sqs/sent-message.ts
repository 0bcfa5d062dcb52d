import type { Message } from './message.js'

/** What a sender is told of a message that is in the queue. */
export function sentMessage(id: string, { md5OfBody, md5OfAttributes, md5OfSystemAttributes }: Message) {
  return {
    MessageId: id,
    MD5OfMessageBody: md5OfBody,
    ...(md5OfAttributes !== undefined && { MD5OfMessageAttributes: md5OfAttributes }),
    ...(md5OfSystemAttributes !== undefined && { MD5OfMessageSystemAttributes: md5OfSystemAttributes }),
  }
}
