/** Owns the shapes that the OpenAPI document is made of, as far as we use them: https://spec.openapis.org/oas/v3.1.1.html. */

/** JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema;
  readonly [keyword: string]: unknown;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: {
    readonly title: string;
    readonly summary: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
    readonly version: string;
  };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly security: readonly SecurityRequirement[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Methods>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, { readonly description: string }>>;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

/** What a path takes: calls by POST, and by GET those without side effects. */
export interface Methods {
  readonly post: Operation & { readonly requestBody: { readonly required: true } & Content };
  readonly get?: Operation;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly unknown[];
  readonly responses: Readonly<Record<string, Reference | Response>>;
  readonly security?: readonly SecurityRequirement[];
}

interface Content {
  readonly content: {
    readonly 'application/json': { readonly schema: JsonSchema; readonly example: unknown };
  };
}

export interface Reference {
  readonly $ref: string;
}

interface Response extends Content {
  readonly description: string;
  readonly headers: Readonly<Record<string, unknown>>;
}
