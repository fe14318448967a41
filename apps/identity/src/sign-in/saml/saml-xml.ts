import { DOMParser } from '@xmldom/xmldom';
import { SamlRefused } from './saml-refused.js';

/** Bytes of a message, and what it may be made of. Real ones stay below a tenth of each. */
export const MESSAGE_BYTES_MAX = 131_072;
const ELEMENTS_MAX = 5_000;
const DEPTH_MAX = 30;
const ELEMENT_NODE = 1;
const TEXT_NODE = 3;

/** One element, as far as SAML has a use for it. */
export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  /** By local name; those of a namespace under `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

/** Decodes a message that came as base64. @throws SamlRefused for what is too long, no base64 or no UTF-8 */
export function decoded(base64: string): Buffer {
  if (base64.length > Math.ceil(MESSAGE_BYTES_MAX / 3) * 4 + 4_096) throw new SamlRefused('too-long');
  const whole = base64.replace(/[\r\n\t ]/g, '');
  // Node skips what is no base64; whoever else decodes the same text might not.
  if (whole === '' || whole.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(whole)) {
    throw new SamlRefused('encoding');
  }
  const bytes = Buffer.from(whole, 'base64');
  if (bytes.length > MESSAGE_BYTES_MAX) throw new SamlRefused('too-long');
  return bytes;
}

/**
 * Text of a message that holds nothing which two readers of XML could read differently: no document type and so no
 * entity of its own, no comment, no section of characters, no instruction to a processor. Within well-formed XML a `<`
 * is the beginning of markup wherever it stands, so that they are found without parsing.
 * @throws SamlRefused
 */
export function plainText(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SamlRefused('encoding');
  }
  const declaration =
    /^<\?xml version=(["'])1\.0\1(?: encoding=(["'])utf-8\2)?(?: standalone=(["'])(?:yes|no)\3)?\s*\?>/i;
  const body = text.replace(declaration, '');
  // oxlint-disable-next-line no-control-regex -- characters that XML 1.0 section 2.2 does not have
  if (/<[!?]|[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(body)) throw new SamlRefused('markup');
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-f]{1,6});)/i.test(body)) throw new SamlRefused('markup');
  return text;
}

/** The tree of a text that `plainText` gave. @throws SamlRefused for what is not well-formed, or past the bounds */
export function treeOf(text: string): XmlElement {
  const refuse = (): never => {
    throw new SamlRefused('malformed');
  };
  let root: unknown;
  try {
    const handlers = { warning: refuse, error: refuse, fatalError: refuse };
    root = new DOMParser({ locator: {}, errorHandler: handlers }).parseFromString(text, 'text/xml').documentElement;
  } catch {
    throw new SamlRefused('malformed');
  }
  if (!isNode(root)) throw new SamlRefused('malformed');
  let left = ELEMENTS_MAX;
  const read = (node: DomNode, depth: number): XmlElement => {
    if (depth > DEPTH_MAX || --left < 0) throw new SamlRefused('too-deep');
    const children: XmlElement[] = [];
    let own = '';
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.nodeType === ELEMENT_NODE) children.push(read(child, depth + 1));
      else if (child.nodeType === TEXT_NODE) own += child.nodeValue ?? '';
      else throw new SamlRefused('markup');
    }
    return {
      namespace: node.namespaceURI ?? '',
      name: node.localName ?? '',
      attributes: attributesOf(node),
      children,
      text: own,
    };
  };
  return read(root, 1);
}

/** Every element of a tree, the root first. */
export function* elementsOf(root: XmlElement): Generator<XmlElement> {
  yield root;
  for (const child of root.children) yield* elementsOf(child);
}

/** The children of this name. */
export function childrenOf(parent: XmlElement, namespace: string, name: string): XmlElement[] {
  return parent.children.filter((child) => child.name === name && child.namespace === namespace);
}

/** The one child of this name. @throws SamlRefused(`why`) unless there is exactly one */
export function onlyChild(parent: XmlElement, namespace: string, name: string, why: string): XmlElement {
  const [child, ...more] = childrenOf(parent, namespace, name);
  if (child === undefined || more.length > 0) throw new SamlRefused(why);
  return child;
}

/** Text of an element that has nothing else. @throws SamlRefused(`why`) */
export function plainTextOf(element: XmlElement, why: string): string {
  if (element.children.length > 0) throw new SamlRefused(why);
  return element.text.trim();
}

/** What is used of a DOM node; its own types would bring those of a browser into the whole program. */
interface DomNode {
  readonly nodeType: number;
  readonly nodeValue: string | null;
  readonly namespaceURI: string | null;
  readonly localName: string | null;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
  readonly attributes: { readonly length: number; item(index: number): DomAttribute | null };
}

interface DomAttribute {
  readonly name: string;
  readonly localName: string | null;
  readonly namespaceURI: string | null | undefined;
  readonly value: string;
}

function isNode(value: unknown): value is DomNode {
  return typeof value === 'object' && value !== null && 'nodeType' in value && value.nodeType === ELEMENT_NODE;
}

function attributesOf({ attributes }: DomNode): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index < attributes.length; index++) {
    const { name, localName, namespaceURI, value } = attributes.item(index)!;
    const own = localName ?? name;
    const key = namespaceURI ? `{${namespaceURI}}${own}` : own;
    if (found.has(key)) throw new SamlRefused('malformed');
    found.set(key, value);
  }
  return found;
}
