/** Thrown where a file or folder on the node is no longer as it was listed: the snapshot is to be looked at again. */
export class SourceChanged extends Error {
	override name = 'SourceChanged'
}
