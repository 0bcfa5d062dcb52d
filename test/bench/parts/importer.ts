import { announce, answerCommands, readOptions } from './commands.js'

/** A program that imports some modules and is ready. */
export interface ImporterOptions {
  readonly modules: readonly string[]
}

const { modules } = readOptions<ImporterOptions>()
for (const name of modules) await import(name)
answerCommands({})
announce({})
