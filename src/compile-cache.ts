/**
 * Keeps V8's compiled code beside our own, where the installation may be written; elsewhere each start compiles anew.
 * Never in a shared temporary folder, which is Node's default: a process of root's would run what others put there.
 */
export function keepCompiledCode(): void {
	const here = import.meta.dirname
	const { enableCompileCache } = process.getBuiltinModule('node:module')
	if (import.meta.filename.endsWith('.js')) enableCompileCache(`${here}/.compile-cache`)
}
