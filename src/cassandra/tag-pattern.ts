import { type SnaphavenError, usageError } from '../errors.ts'
import { ExpressionError } from './python-expression/scanner.ts'
import { translateExpression } from './python-expression/translate.ts'

/**
 * Whether a tag matches an expression from its start, as Python 3's re.match does (the end may be anywhere). Throws for
 * an expression that is wrong, with the place, and for what Python has and JavaScript lacks, by name. A look-behind of
 * varying width, which Python refuses, is taken.
 */
export function compileTagPattern(source: string): (tag: string) => boolean {
	const expression = compile(source)
	return (tag) => expression.test(tag)
}

/** V8 finds what is too large for it only when it is used first. */
function compile(source: string): RegExp {
	try {
		const expression = new RegExp(`^(?:${translateExpression(source)})`, 'v')
		expression.test('')
		return expression
	} catch (error) {
		if (error instanceof ExpressionError) throw explain(source, error)
		if (error instanceof SyntaxError || error instanceof RangeError) throw tooLarge(error)
		throw error
	}
}

function explain(source: string, { kind, message, at }: ExpressionError): SnaphavenError {
	const rest = Array.from(source).slice(at).join('')
	const place = rest === '' ? 'at its end' : `at "${rest}"`
	if (kind === 'bad') return usageError(`the expression ${source} is wrong ${place}: ${message}`)
	return usageError(
		`the expression ${source} has what is not supported here, ${place}: ${message}`,
		'Expressions are those of Python, without this one.',
	)
}

function tooLarge(error: Error): SnaphavenError {
	return usageError(`the expression is too large: ${error.message.slice(-60)}`)
}
