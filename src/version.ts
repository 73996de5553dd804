import { fs } from './files/builtins.ts'

/** This snaphaven's version, as package.json has it. */
export const version: string = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
