/** What the process that hints come from is asked for. */
export type HintOrder =
	/** To watch a keyspace's folder. */
	| { type: 'subscribe'; path: string }
	/** To say how it is. */
	| { type: 'check' }

/** What it says. */
export type HintReport =
	/** The folder is watched from now on. */
	| { type: 'ready'; path: string }
	/** Something changed in these tables' folders; '' stands for the keyspace's own. */
	| { type: 'hints'; path: string; tables: string[] }
	/** How many folders the kernel watches for it. */
	| { type: 'checked'; watches: number }
	/** It can watch no more. */
	| { type: 'trouble'; kind: TroubleKind; message: string }

/** Which limit of inotify was met, or something else. */
export type TroubleKind = 'instances' | 'watches' | 'other'
