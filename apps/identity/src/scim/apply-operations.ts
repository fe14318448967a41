import { ScimError as PatchError, scimPatch, type ScimPatchOperation, type ScimResource } from 'scim-patch';
import { type Attributes, attributesOf, RESOURCE_BYTES_MAX } from './scim-attributes.js';
import { ScimError, type ScimType } from './scim-error.js';
import type { Operation } from './scim-patch-body.js';

/**
 * The attributes after the operations of a PATCH, all or none of them.
 * @throws ScimError 400 WDR_SCIM_PATCH_INVALID; 413 where the operations alone are longer than a resource may be
 */
export function applyOperations(before: Attributes, operations: readonly Operation[]): Attributes {
  // The library compares each item that is added with each that is there.
  if (Buffer.byteLength(JSON.stringify(operations)) > 2 * RESOURCE_BYTES_MAX) {
    throw new ScimError(413, 'WDR_BODY_TOO_LARGE', 'the operations are longer than a resource may be');
  }
  const resource = { schemas: [], meta: {}, ...structuredClone(before) } as unknown as ScimResource;
  try {
    return attributesOf(operations.reduce(applied, resource));
  } catch (error) {
    throw error instanceof ScimError ? error : refusalOf(error);
  }
}

function applied(resource: ScimResource, operation: Operation): ScimResource {
  // Of a list that is not there, what is to be removed is gone.
  const list = /^([^.[]+)\[[^\]]*\]$/.exec(operation.path)?.[1];
  const isGone = list !== undefined && (resource as unknown as Attributes)[list] === undefined;
  if (operation.op === 'remove' && isGone) return resource;
  return scimPatch(resource, [operation as ScimPatchOperation], { treatMissingAsAdd: true });
}

// What is no error of the library's own it ran into on a path through a plain value, as `userName.x`.
function refusalOf(error: unknown): ScimError {
  // With a value path, the list or the item that it chooses is not there.
  const isNowhere = error instanceof PatchError && 'valuePath' in error;
  const scimType = isNowhere ? 'noTarget' : error instanceof PatchError ? (error.scimCode as ScimType) : 'invalidPath';
  return new ScimError(400, 'WDR_SCIM_PATCH_INVALID', 'an operation has no target, or none of that form', scimType);
}
