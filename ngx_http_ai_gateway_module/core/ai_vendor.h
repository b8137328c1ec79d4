
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The vendors: one row says where a vendor is, what it speaks, how it takes
 * keys, and in what its dialect differs from the one it claims to speak
 * (wire-formats.md 5 to 12).  Adding a compatible vendor is adding a row.
 */


#ifndef _AI_VENDOR_H_INCLUDED_
#define _AI_VENDOR_H_INCLUDED_


#include "ai_buf.h"
#include "ai_dialect.h"
#include "ai_splice.h"


typedef struct ai_vendor_s  ai_vendor_t;


/* differences that need code, each in one place */

#define AI_VENDOR_NO_STREAM_OPTIONS  0x00000001  /* rejects the member */
#define AI_VENDOR_USAGE_PLUS         0x00000002  /* completion_tokens leave
                                                    reasoning out: xAI */
#define AI_VENDOR_ID9                0x00000004  /* call ids are 9 letters
                                                    and digits: Mistral */
#define AI_VENDOR_CHOICE_ANY         0x00000008  /* "any" for "required" */
#define AI_VENDOR_STRING_CONTENT     0x00000010  /* content is a string if it
                                                    is nothing but text */
#define AI_VENDOR_NO_DONE            0x00000020  /* streams end by EOF */
#define AI_VENDOR_NO_FINISH          0x00000040  /* may end without finish */
#define AI_VENDOR_SYSTEM             0x00000080  /* no role "developer" */
#define AI_VENDOR_MAX_TOKENS         0x00000100  /* max_tokens always */
#define AI_VENDOR_PREFIX             0x00000200  /* a last assistant message
                                                    needs prefix:true */
#define AI_VENDOR_THINK_BACK         0x00000400  /* reasoning goes back with
                                                    calls: DeepSeek */
#define AI_VENDOR_NO_MODEL           0x00000800  /* the body has no model */
#define AI_VENDOR_VERTEX_CLAUDE      0x00001000  /* anthropic_version of
                                                    Vertex in the body */
#define AI_VENDOR_BEDROCK_CLAUDE     0x00002000  /* that of Bedrock, betas in
                                                    the body, invoke */
#define AI_VENDOR_NO_URL_IMAGES      0x00004000  /* media must be inline */
#define AI_VENDOR_REASONING_OBJECT   0x00008000  /* reasoning:{effort} */
#define AI_VENDOR_NO_CALL_IDS        0x00010000  /* Vertex: id in parts */
#define AI_VENDOR_EMBED_PREDICT      0x00020000  /* embeds by :predict */
#define AI_VENDOR_STATE_XAI          0x00040000  /* its encrypted_content is
                                                    not OpenAI's */
#define AI_VENDOR_TOP_K              0x00080000  /* takes it, unlike
                                                    OpenAI */


/*
 * A path, by operation.  "{model}", "{project}", "{region}", "{version}" are
 * replaced, and escaped as RFC 3986 path segments ("/" too, except in
 * {model/}, where it stays).  A query may follow.
 */

typedef struct {
    ai_op_e              op;           /* AI_OP_NONE ends the table */
    const char          *path;         /* behind the base */
    const char          *stream;       /* the same for streams; NULL: path */
} ai_vendor_path_t;


/*
 * Of the body of a chat, or of embeddings; "messages.name" is dropped from each
 * message.  "messages.file" to "document_url" is for the renderer of chat: the
 * part that a document goes as.
 */

typedef struct {
    const char          *from;
    const char          *to;           /* NULL: the member is dropped */
} ai_vendor_member_t;


struct ai_vendor_s {
    ai_str_t             name;
    const char          *dialect;
    const char          *endpoint;     /* NULL: each customer has its own,
                                          then example is told; may hold
                                          {region}, {region-} which goes with
                                          its dash if it is "global", and
                                          {project} */
    const char          *base;         /* for endpoints without a path */
    const char          *example;
    ai_auth_e            auth;
    unsigned             keyless:1;    /* needs no key */

    ai_uint_t            ops;          /* 0: all those of the dialect */
    ai_uint_t            flags;        /* AI_VENDOR_... */

    const ai_vendor_path_t
                        *paths;        /* NULL: those of the dialect */
    const ai_vendor_member_t
                        *members;      /* of chat bodies; NULL from ends */
    const char *const   *allowed;      /* members, NULL terminated; NULL: all
                                          that are not in members */
    const char          *reasoning;    /* member of messages that takes
                                          reasoning back, or NULL */
    const char *const   *headers;      /* "name: value", always sent */
    const char          *service;      /* for SigV4 */
};


/* by name; NULL: none */
const ai_vendor_t *ai_vendor_find(const ai_str_t *name);

/*
 * The row for a provider without a preset, or whose dialect is not that of
 * its preset; never NULL.  base is what an endpoint without a path gets.
 */
const ai_vendor_t *ai_vendor_generic(const ai_dialect_t *dialect);

/* all rows, in the order of messages that list them; NULL name ends it */
extern const ai_vendor_t  ai_vendors[];

/* those of ai_vendor_generic(); NULL dialect ends it */
extern const ai_vendor_t  ai_vendor_generics[];

/* bit mask of operations that a vendor takes as they are */
ai_uint_t ai_vendor_ops(const ai_vendor_t *v, const ai_dialect_t *d);

/*
 * The operation to ask a provider for when a client asks for op, which it
 * does not speak itself: chat of one dialect for that of another, embeddings
 * likewise.  AI_OP_NONE: it cannot be had there.
 */
ai_op_e ai_vendor_op(const ai_vendor_t *v, const ai_dialect_t *d, ai_op_e op,
    ai_uint_t stream);


typedef struct {
    ai_str_t             model;
    ai_str_t             project;
    ai_str_t             region;
    ai_str_t             version;
} ai_vendor_args_t;

/*
 * The path for an operation, query included, at dst, which has room for
 * ai_vendor_path_len() bytes; returns its end.
 */
size_t ai_vendor_path_len(const ai_vendor_t *v, const ai_dialect_t *d,
    ai_op_e op, ai_uint_t stream, const ai_vendor_args_t *args);
u_char *ai_vendor_path(u_char *dst, const ai_vendor_t *v,
    const ai_dialect_t *d, ai_op_e op, ai_uint_t stream,
    const ai_vendor_args_t *args);

/*
 * What a body of AI_OP_CHAT or AI_OP_MESSAGES must be changed in to be taken
 * there as it is: members renamed and dropped, ids mapped, and what follows
 * from flags.  Nothing is done to a body that needs nothing.  AI_OK, AI_ERROR.
 */
ai_int_t ai_vendor_edit(const ai_vendor_t *v, const ai_json_t *root,
    ai_splice_t *sp, ai_alloc_t *a);

/* the same for a request for embeddings, of which no members are listed but
 * those that are renamed or dropped */
ai_int_t ai_vendor_edit_embed(const ai_vendor_t *v, const ai_json_t *root,
    ai_splice_t *sp, ai_alloc_t *a);

/*
 * The names of models within a body of Gemini's ("models/NAME", in requests[]
 * and generateContentRequest too) become that of the target: they must be
 * the one in the path.  AI_OK, AI_ERROR.
 */
ai_int_t ai_vendor_edit_models(const ai_json_t *root, const ai_str_t *model,
    ai_splice_t *sp, ai_alloc_t *a);

/*
 * A call's id as Mistral takes it: itself, or 9 letters and digits of its
 * hash.  out has room for 9 bytes; returns the length, 0: it fits as it is.
 */
size_t ai_vendor_id9(const ai_mstr_t *id, u_char *out);


#endif /* _AI_VENDOR_H_INCLUDED_ */
