/** Finds the names that a function uses and does not define. */

import type { Node } from "acorn";

/** A name that is used. */
export interface FreeName {
  /** The name. */
  name: string;
  /** Where in the text of the function it is used first. */
  at: number;
  /** Whether it is called there. */
  isCalled: boolean;
}

/** A literal specifier of an `import()`. */
export interface DynamicImport {
  /** The specifier. */
  specifier: string;
  /** Where its literal begins. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** What a function uses from outside. */
export interface Uses {
  /** Names, each once, in order of first use. */
  names: FreeName[];
  /** `this`, `super` or `import.meta`, which mean something else in a job. */
  forbidden?: string;
  /** Modules that it imports itself. */
  imports: DynamicImport[];
}

type Any = Node & Record<string, unknown>;

/** Names that one part of the text defines. */
class Scope {
  readonly names = new Set<string>();
  readonly outer: Scope | undefined;
  /** Whether `this` is that of the whole function. */
  readonly ownsThis: boolean;

  constructor(outer?: Scope, ownsThis = outer?.ownsThis ?? false) {
    this.outer = outer;
    this.ownsThis = ownsThis;
  }

  has(name: string): boolean {
    return this.names.has(name) || (this.outer?.has(name) ?? false);
  }
}

/**
 * Finds what a function uses from outside.
 *
 * @param root The function, as parsed by acorn.
 */
export function usesOf(root: Node): Uses {
  const walker = new Walker();
  walker.visit(root as Any, new Scope());
  return {
    names: [...walker.names.values()],
    imports: walker.imports,
    ...(walker.forbidden === undefined ? {} : { forbidden: walker.forbidden }),
  };
}

class Walker {
  readonly names = new Map<string, FreeName>();
  readonly imports: DynamicImport[] = [];
  forbidden: string | undefined;
  #depth = 0;

  visit(node: Any, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        return this.#use(node, scope, false);
      case "ThisExpression":
        if (!scope.ownsThis) this.forbidden ??= "this";
        return;
      case "Super":
        if (!scope.ownsThis) this.forbidden ??= "super";
        return;
      case "MetaProperty":
        if (textOf(node.meta) === "import") this.forbidden ??= "import.meta";
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        return this.#function(node, scope);
      case "ClassDeclaration":
      case "ClassExpression":
        return this.#class(node, scope);
      case "BlockStatement":
      case "StaticBlock":
      case "SwitchStatement":
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
        return this.#block(node, scope);
      case "CatchClause": {
        const inner = new Scope(scope);
        if (node.param) declare(node.param as Any, inner);
        return this.#children(node, inner);
      }
      case "MemberExpression":
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        return this.#member(node, scope);
      case "LabeledStatement":
        return this.visit(node.body as Any, scope);
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "UnaryExpression": {
        // `typeof x` asks whether there is an x.
        const argument = node.argument as Any;
        const isAsked = node.operator === "typeof" &&
          argument.type === "Identifier";
        if (!isAsked) this.visit(argument, scope);
        return;
      }
      case "CallExpression": {
        const callee = node.callee as Any;
        if (callee.type === "Identifier") this.#use(callee, scope, true);
        return this.#children(node, scope);
      }
      case "ImportExpression": {
        const { type, value, start, end } = node.source as Any;
        if (type === "Literal" && typeof value === "string") {
          this.imports.push({ specifier: value, start, end });
        }
        return this.#children(node, scope);
      }
      default:
        return this.#children(node, scope);
    }
  }

  #use(node: Any, scope: Scope, isCalled: boolean): void {
    const name = node.name as string;
    if (scope.has(name) || this.names.has(name)) return;
    this.names.set(name, { name, at: node.start, isCalled });
  }

  #children(node: Any, scope: Scope): void {
    for (const child of childrenOf(node)) this.visit(child, scope);
  }

  /** Members and properties, whose plain names refer to nothing. */
  #member(node: Any, scope: Scope): void {
    if (node.type === "MemberExpression") {
      this.visit(node.object as Any, scope);
      if (node.computed) this.visit(node.property as Any, scope);
      return;
    }
    if (node.computed) this.visit(node.key as Any, scope);
    // Values of fields have the `this` of their class.
    const inner = node.type === "PropertyDefinition"
      ? new Scope(scope, true)
      : scope;
    const { value } = node;
    if (value) this.visit(value as Any, inner);
  }

  #function(node: Any, scope: Scope): void {
    const isArrow = node.type === "ArrowFunctionExpression";
    // The whole function has no `this` worth using; those within it have.
    const isWhole = this.#depth === 0;
    const inner = new Scope(
      scope,
      isArrow ? undefined : !isWhole,
    );
    if (!isArrow) inner.names.add("arguments");
    if (node.id) declare(node.id as Any, inner);
    for (const param of node.params as Any[]) declare(param, inner);
    hoist(node.body as Any, inner);
    this.#depth++;
    for (const param of node.params as Any[]) this.visit(param, inner);
    this.visit(node.body as Any, inner);
    this.#depth--;
  }

  #class(node: Any, scope: Scope): void {
    const inner = new Scope(scope);
    if (node.id) declare(node.id as Any, inner);
    if (node.superClass) this.visit(node.superClass as Any, inner);
    const { body } = node.body as Any;
    for (const member of body as Any[]) this.visit(member, inner);
  }

  #block(node: Any, scope: Scope): void {
    const inner = new Scope(
      scope,
      node.type === "StaticBlock" ? true : undefined,
    );
    if (node.type === "StaticBlock") hoist(node, inner);
    const statements = node.type === "SwitchStatement"
      ? (node.cases as Any[]).flatMap((one) => one.consequent as Any[])
      : node.type.startsWith("For")
      ? [node.init ?? node.left].filter(Boolean) as Any[]
      : node.body as Any[];
    for (const statement of statements) declareLexical(statement, inner);
    this.#children(node, inner);
  }
}

/** Adds the names that a pattern binds. */
function declare(pattern: Any, scope: Scope): void {
  switch (pattern.type) {
    case "Identifier":
      scope.names.add(pattern.name as string);
      return;
    case "ObjectPattern":
      for (const one of pattern.properties as Any[]) {
        declare((one.value ?? one) as Any, scope);
      }
      return;
    case "ArrayPattern":
      for (const one of pattern.elements as (Any | null)[]) {
        if (one) declare(one, scope);
      }
      return;
    case "AssignmentPattern":
      return declare(pattern.left as Any, scope);
    case "RestElement":
      return declare(pattern.argument as Any, scope);
  }
}

/** Adds what a statement defines for its block. */
function declareLexical(statement: Any, scope: Scope): void {
  if (/^(?:Function|Class)Declaration$/.test(statement.type)) {
    declare(statement.id as Any, scope);
  } else if (
    statement.type === "VariableDeclaration" && statement.kind !== "var"
  ) {
    for (const one of statement.declarations as Any[]) {
      declare(one.id as Any, scope);
    }
  }
}

/** Adds what `var` defines anywhere in a function. */
function hoist(node: Any, scope: Scope): void {
  if (/Function|^Class/.test(node.type)) return;
  if (node.type === "VariableDeclaration" && node.kind === "var") {
    for (const one of node.declarations as Any[]) declare(one.id as Any, scope);
  }
  for (const child of childrenOf(node)) hoist(child, scope);
}

function* childrenOf(node: Any): Generator<Any> {
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (isNode(one)) yield one;
    }
  }
}

function isNode(value: unknown): value is Any {
  return typeof value === "object" && value !== null &&
    typeof Reflect.get(value, "type") === "string";
}

function textOf(identifier: unknown): unknown {
  return (identifier as Any).name;
}
