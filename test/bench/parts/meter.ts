// Loaded before the program that is measured, so that it needs to know nothing of being measured.
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { answerCommands } from './commands.js'

// Workers of that program inherit this, and have messages of their own.
if (cluster.isPrimary && isMainThread) {
  answerCommands({})
  process.channel?.unref()
}
