/**
 * Finds markup that breaks in a translated page. A browser's translator replaces each text node with a <font> element,
 * but React still references the old node: removing it, or inserting something before it, throws a NotFoundError, and
 * changes to it are invisible. Text is safe where React never touches its node: as the only child of its element (React
 * sets textContent), or next to elements that are always rendered.
 */
import type * as ESTree from 'oxc-parser';
import { parseSync, Visitor } from 'oxc-parser';

/** The dashboard's components that always render exactly one element, so that text may be next to them. */
const inline = new Set(['Link', 'RelativeTime', 'ExactTime', 'Skeleton']);

/** Elements with machine-readable text, which a translator must not change. */
const verbatim = new Set(['code', 'kbd', 'samp', 'textarea']);

/** The rules that the lines of a TSX file violate, as "12: rule". */
export function findBareText(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source, { preserveParens: false });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const known = knownNames(program);
  const violations: Violation[] = violationsOfReturns(known);
  const children = (parent: ESTree.JSXElement | ESTree.JSXFragment) =>
    violations.push(...violationsOfChildren(parent, known));
  new Visitor({
    JSXElement: (element) => {
      const name = nameOf(element);
      if (verbatim.has(name) && !hasAttribute(element, 'translate'))
        violations.push([element, `<${name}> lacks translate="no"`]);
      children(element);
    },
    JSXFragment: children,
    CallExpression: (call) => {
      const results = (mapResults(call) ?? []).flatMap(branchesOf);
      const text = results.find((result) => results.some(isJsx) && !isElements(result, known));
      if (text) violations.push([text, 'a list mixes text with elements']);
    },
    ConditionalExpression: ({ consequent, alternate }) =>
      violations.push(...sharedText(consequent, alternate)),
  }).visit(program);
  const lineOf = (node: ESTree.Node) => source.slice(0, node.start).split('\n').length;
  const found = violations.map(([node, rule]) => ({ line: lineOf(node), rule }));
  const problems = found.sort((a, b) => a.line - b.line).map(({ line, rule }) => `${line}: ${rule}`);
  return [...new Set(problems)];
}

type Violation = [node: ESTree.Node, rule: string];

interface KnownNames {
  /** Names of props whose type is Elements, which contains no text. */
  elements: Set<string>;
  /** Names imported from the icon library: each is one <svg>. */
  icons: Set<string>;
  /** The results of each component. */
  returns: ESTree.Expression[][];
}

function knownNames(program: ESTree.Program): KnownNames {
  const known: KnownNames = { elements: new Set(), icons: new Set(), returns: [] };
  const functions: Array<ESTree.Expression[] | null> = [];
  const enter = (name: string | undefined) => {
    const returns = /^[A-Z]/.test(name ?? '') ? [] : null;
    if (returns) known.returns.push(returns);
    functions.push(returns);
  };
  const leave = () => void functions.pop();
  new Visitor({
    ImportDeclaration: ({ source, specifiers }) => {
      if (source.value !== 'lucide-react') return;
      for (const { local } of specifiers) known.icons.add(local.name);
    },
    TSPropertySignature: ({ key, typeAnnotation }) => {
      const type = typeAnnotation?.typeAnnotation;
      if (key.type !== 'Identifier' || type?.type !== 'TSTypeReference') return;
      if (type.typeName.type === 'Identifier' && type.typeName.name === 'Elements')
        known.elements.add(key.name);
    },
    FunctionDeclaration: ({ id }) => enter(id?.name),
    'FunctionDeclaration:exit': leave,
    FunctionExpression: ({ id }) => enter(id?.name),
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: () => enter(undefined),
    'ArrowFunctionExpression:exit': leave,
    ReturnStatement: ({ argument }) => {
      if (argument) functions.at(-1)?.push(argument);
    },
  }).visit(program);
  return known;
}

function violationsOfReturns(known: KnownNames): Violation[] {
  return known.returns.flatMap((returns) =>
    returns.flatMap((result, index) => {
      const shared = returns.slice(0, index).flatMap((earlier) => sharedText(earlier, result));
      const bare: Violation[] = isElements(result, known) ? [] : [[result, 'a component returns bare text']];
      return [...bare, ...shared];
    }),
  );
}

function violationsOfChildren(
  parent: ESTree.JSXElement | ESTree.JSXFragment,
  known: KnownNames,
): Violation[] {
  const children = parent.children.filter(isRendered);
  const host = parent.type === 'JSXElement' && /^[a-z]/.test(nameOf(parent));
  if (children.length < 2 && parent.type === 'JSXElement') return [];
  const text = children.find(isText);
  // A component or a fragment controls neither the element that contains its children nor their siblings.
  const bare: Violation[] =
    text && !host ? [[text, 'text in a fragment or a component, next to other children']] : [];
  const others = children.filter((child) => !isText(child));
  return [...bare, ...others.flatMap((child) => violationsOfChild(child, text !== undefined, known))];
}

function violationsOfChild(child: ESTree.JSXChild, hasText: boolean, known: KnownNames): Violation[] {
  if (child.type === 'JSXExpressionContainer' && !isElements(child.expression, known))
    return [[child, 'an expression that may be text has siblings']];
  const fixed = !hasText || isAlwaysRendered(child, known);
  return fixed ? [] : [[child, 'text is next to an element that may be added or removed']];
}

const sharedRule = 'two branches share an element and the text nodes in it: give one a key';

/** When an element replaces another of its type without a key, React reuses the nodes inside. */
function sharedText(a: ESTree.Node, b: ESTree.Node): Violation[] {
  if (a.type === 'ConditionalExpression') return branchesOf(a).flatMap((branch) => sharedText(branch, b));
  if (b.type === 'ConditionalExpression') return branchesOf(b).flatMap((branch) => sharedText(a, branch));
  if (a.type !== 'JSXElement' || b.type !== 'JSXElement' || nameOf(a) !== nameOf(b)) return [];
  if (hasAttribute(a, 'key') || hasAttribute(b, 'key')) return [];
  const [before, after] = [a.children.filter(isRendered), b.children.filter(isRendered)];
  if ([before, after].some((children) => children.length > 1 && children.some(isText)))
    return [[b, sharedRule]];
  return before.flatMap((child, index) => {
    const other = after[index];
    return other ? sharedText(child, other) : [];
  });
}

/** Whether JSX renders a child: neither white space between lines nor comments. */
function isRendered(child: ESTree.JSXChild): boolean {
  if (child.type === 'JSXText') return child.value.trim() !== '' || !child.value.includes('\n');
  return child.type !== 'JSXExpressionContainer' || child.expression.type !== 'JSXEmptyExpression';
}

function isText(child: ESTree.JSXChild): boolean {
  if (child.type === 'JSXText') return true;
  return child.type === 'JSXExpressionContainer' && isStringLiteral(child.expression);
}

function isStringLiteral(expression: ESTree.Node): boolean {
  return expression.type === 'Literal' && typeof expression.value === 'string';
}

function isAlwaysRendered(child: ESTree.JSXChild, { icons }: KnownNames): boolean {
  if (child.type !== 'JSXElement') return false;
  const name = nameOf(child);
  return /^[a-z]/.test(name) || inline.has(name) || icons.has(name);
}

function nameOf({ openingElement: { name } }: ESTree.JSXElement): string {
  return name.type === 'JSXIdentifier' ? name.name : '?';
}

function hasAttribute({ openingElement: { attributes } }: ESTree.JSXElement, name: string): boolean {
  return attributes.some((attribute) => attribute.type === 'JSXAttribute' && attribute.name.name === name);
}

function branchesOf(node: ESTree.Node): ESTree.Node[] {
  if (node.type !== 'ConditionalExpression') return [node];
  return [...branchesOf(node.consequent), ...branchesOf(node.alternate)];
}

const isJsx = ({ type }: ESTree.Node) => type === 'JSXElement' || type === 'JSXFragment';

/** Whether an expression can only be elements or nothing, never text. */
function isElements(node: ESTree.Node, known: KnownNames): boolean {
  switch (node.type) {
    case 'JSXElement':
    case 'JSXFragment':
      return true;
    case 'Literal':
      return node.value === null;
    case 'Identifier':
      return known.elements.has(node.name);
    case 'ConditionalExpression':
      return isElements(node.consequent, known) && isElements(node.alternate, known);
    case 'LogicalExpression':
      return node.operator !== '&&' && isElements(node.left, known) && isElements(node.right, known);
    case 'CallExpression':
      return mapResults(node)?.every((result) => isElements(result, known)) ?? false;
    case 'ChainExpression':
      return isElements(node.expression, known);
    default:
      return false;
  }
}

/** The results of the function in `list.map(...)`; undefined for another call. */
function mapResults({ callee, arguments: [callback] }: ESTree.CallExpression): ESTree.Node[] | undefined {
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return undefined;
  if (callee.property.name !== 'map' || callback?.type !== 'ArrowFunctionExpression') return undefined;
  if (callback.body.type !== 'BlockStatement') return [callback.body];
  const results: ESTree.Node[] = [];
  new Visitor({
    ReturnStatement: ({ argument }) => {
      if (argument) results.push(argument);
    },
  }).visit({ ...emptyProgram, body: callback.body.body });
  return results;
}

const emptyProgram = parseSync('empty.ts', '').program;
