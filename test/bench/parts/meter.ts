// Loaded before the program that is measured, so that it needs to know nothing of being measured.
import { answerCommands } from './commands.js'

answerCommands({})
process.channel?.unref()
