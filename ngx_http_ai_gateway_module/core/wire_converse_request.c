
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client that speaks Bedrock Converse: an SDK of AWS, or
 * what is built on one.  Model and stream are told by its path.
 */


#include "wire_converse.h"


typedef struct {
    ai_str_t        name;
    ai_int_t      (*take)(ai_converse_read_t *r, const ai_json_t *v);
} ai_converse_member_t;


static ai_int_t ai_converse_each(ai_converse_read_t *r, const ai_json_t *v,
    const ai_converse_member_t *members, const char *param);
static ai_int_t ai_converse_inference(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_max_tokens(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_temperature(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_top_p(ai_converse_read_t *r, const ai_json_t *v);
static ai_int_t ai_converse_top_k(ai_converse_read_t *r, const ai_json_t *v);
static ai_int_t ai_converse_number(ai_converse_read_t *r, const ai_json_t *v,
    const char *param, ai_str_t *number);
static ai_int_t ai_converse_stops_read(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_tool_config(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_tools_read(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_tool_spec(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_choice_read(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_additional(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_thinking(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_effort(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_nova_inference(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_nova_reasoning(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_parallel(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_claude_output(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_claude_format(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_output(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_metadata_read(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_tier(ai_converse_read_t *r, const ai_json_t *v);
static ai_int_t ai_converse_prompt(ai_converse_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_ignore(ai_converse_read_t *r,
    const ai_json_t *v);


static const ai_converse_member_t  ai_converse_members[] = {
    { ai_string("system"), ai_converse_read_system },
    { ai_string("messages"), ai_converse_read_messages },
    { ai_string("inferenceConfig"), ai_converse_inference },
    { ai_string("toolConfig"), ai_converse_tool_config },
    { ai_string("additionalModelRequestFields"), ai_converse_additional },
    { ai_string("outputConfig"), ai_converse_output },
    { ai_string("requestMetadata"), ai_converse_metadata_read },
    { ai_string("serviceTier"), ai_converse_tier },
    { ai_string("promptVariables"), ai_converse_prompt },
    { ai_string("modelId"), ai_converse_ignore },
    { ai_null_string, NULL }
};


static const ai_converse_member_t  ai_converse_inferences[] = {
    { ai_string("maxTokens"), ai_converse_max_tokens },
    { ai_string("temperature"), ai_converse_temperature },
    { ai_string("topP"), ai_converse_top_p },
    { ai_string("stopSequences"), ai_converse_stops_read },
    { ai_null_string, NULL }
};


static const ai_converse_member_t  ai_converse_tool_configs[] = {
    { ai_string("tools"), ai_converse_tools_read },
    { ai_string("toolChoice"), ai_converse_choice_read },
    { ai_null_string, NULL }
};


/* what models take that Converse has no slot for, each by its own name */

static const ai_converse_member_t  ai_converse_additionals[] = {
    { ai_string("thinking"), ai_converse_thinking },
    { ai_string("reasoning_config"), ai_converse_thinking },
    { ai_string("reasoning_effort"), ai_converse_effort },
    { ai_string("reasoningConfig"), ai_converse_nova_reasoning },
    { ai_string("top_k"), ai_converse_top_k },
    { ai_string("inferenceConfig"), ai_converse_nova_inference },
    { ai_string("output_config"), ai_converse_claude_output },
    { ai_string("tool_choice"), ai_converse_parallel },

    /* these say nothing to a model */

    { ai_string("anthropic_beta"), ai_converse_ignore },
    { ai_string("anthropic_version"), ai_converse_ignore },

    { ai_null_string, NULL }
};


static const ai_converse_member_t  ai_converse_nova_inferences[] = {
    { ai_string("topK"), ai_converse_top_k },
    { ai_null_string, NULL }
};


static const ai_converse_member_t  ai_converse_claude_outputs[] = {
    { ai_string("effort"), ai_converse_effort },
    { ai_string("format"), ai_converse_claude_format },
    { ai_null_string, NULL }
};


ai_int_t
ai_converse_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t            rc;
    ai_json_t           messages;
    ai_converse_read_t  r;

    memset(&r, 0, sizeof(ai_converse_read_t));

    r.req = req;
    r.rep = rep;

    messages = ai_converse_get(root, "messages");

    if (messages.type != AI_JSON_ARRAY) {
        return ai_report_refuse(rep, "messages", "an array is expected");
    }

    rc = ai_converse_each(&r, root, ai_converse_members, NULL);

    if (rc != AI_OK) {
        return rc;
    }

    /* each answer tells its usage */

    req->include_usage = 1;

    return AI_OK;
}


static ai_int_t
ai_converse_each(ai_converse_read_t *r, const ai_json_t *v,
    const ai_converse_member_t *members, const char *param)
{
    ai_int_t                     rc;
    ai_json_t                    name, value;
    ai_json_iter_t               it;
    const ai_converse_member_t  *m;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, param, "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        for (m = members; m->take != NULL; m++) {
            if (ai_json_str_eq(&name, (char *) m->name.data, m->name.len)) {
                break;
            }
        }

        if (m->take == NULL) {
            ai_report_drop_name(r->rep, &name);
            continue;
        }

        rc = m->take(r, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_converse_inference(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_each(r, v, ai_converse_inferences, "inferenceConfig");
}


static ai_int_t
ai_converse_max_tokens(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_number(r, v, "inferenceConfig.maxTokens",
                              &r->req->max_tokens);
}


static ai_int_t
ai_converse_temperature(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_number(r, v, "inferenceConfig.temperature",
                              &r->req->temperature);
}


static ai_int_t
ai_converse_top_p(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_number(r, v, "inferenceConfig.topP", &r->req->top_p);
}


static ai_int_t
ai_converse_top_k(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_number(r, v, "additionalModelRequestFields.top_k",
                              &r->req->top_k);
}


static ai_int_t
ai_converse_number(ai_converse_read_t *r, const ai_json_t *v,
    const char *param, ai_str_t *number)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_report_refuse(r->rep, param, "a number is expected");
    }

    *number = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_converse_stops_read(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t       stop;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "inferenceConfig.stopSequences",
                                "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &stop) == AI_OK) {

        if (stop.type != AI_JSON_STRING) {
            return ai_report_refuse(r->rep, "inferenceConfig.stopSequences",
                                    "strings are expected");
        }

        if (r->req->nstop == AI_REQUEST_STOPS) {
            ai_report_drop(r->rep, "stop");
            break;
        }

        r->req->stop[r->req->nstop++] = ai_mstr(&stop);
    }

    return AI_OK;
}


static ai_int_t
ai_converse_tool_config(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_each(r, v, ai_converse_tool_configs, "toolConfig");
}


static ai_int_t
ai_converse_tools_read(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_int_t         rc;
    ai_tool_t       *tool;
    ai_json_t        item, value;
    ai_json_iter_t   it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "toolConfig.tools",
                                "an array is expected");
    }

    tool = NULL;
    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {

        if (item.type != AI_JSON_OBJECT) {
            return ai_report_refuse(r->rep, "toolConfig.tools",
                                    "objects are expected");
        }

        if (ai_json_get(&item, "cachePoint", &value) == AI_OK) {

            if (tool != NULL
                && ai_converse_read_cache(r, &value, &tool->cache) != AI_OK)
            {
                return AI_ERROR;
            }

            continue;
        }

        if (ai_json_get(&item, "toolSpec", &value) == AI_OK) {
            rc = ai_converse_tool_spec(r, &value);

            if (rc != AI_OK) {
                return rc;
            }

        } else if (ai_json_path(&item, &value, "systemTool", "name", NULL)
                   == AI_OK
                   && ai_json_str_raw(&value).len != 0)
        {
            tool = ai_request_tool(r->req);

            if (tool == NULL) {
                return AI_ERROR;
            }

            tool->type = AI_TOOL_SERVER;
            tool->name = ai_mstr(&value);
            tool->raw = ai_json_raw(&item);

        } else {
            ai_report_drop(r->rep, "tools");
            continue;
        }

        tool = (ai_tool_t *) (void *) ((u_char *) r->req->last_tool
                                       - offsetof(ai_tool_t, next));
    }

    return AI_OK;
}


static ai_int_t
ai_converse_tool_spec(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_tool_t       *tool;
    ai_json_t        name, value;
    ai_json_iter_t   it;

    tool = ai_request_tool(r->req);

    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->raw = ai_json_raw(v);
    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "name")) {
            tool->name = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "description")) {
            tool->description = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "inputSchema")) {
            value = ai_converse_get(&value, "json");

            if (value.type == AI_JSON_OBJECT) {
                tool->schema = ai_json_raw(&value);
            }

        } else if (ai_json_name_eq(&name, "strict")) {
            tool->strict = ai_json_raw(&value);

        } else {
            ai_report_drop_name(r->rep, &name);
        }
    }

    if (ai_mstr_empty(&tool->name)) {
        return ai_report_refuse(r->rep, "toolConfig.tools",
                                "a tool needs a name");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_choice_read(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  value;

    if (ai_json_get(v, "auto", &value) == AI_OK) {
        r->req->choice = AI_CHOICE_AUTO;
        return AI_OK;
    }

    if (ai_json_get(v, "any", &value) == AI_OK) {
        r->req->choice = AI_CHOICE_REQUIRED;
        return AI_OK;
    }

    if (ai_json_path(v, &value, "tool", "name", NULL) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        r->req->choice = AI_CHOICE_NAMED;
        r->req->choice_name = ai_mstr(&value);
        return AI_OK;
    }

    return ai_report_refuse(r->rep, "toolConfig.toolChoice", "one of "
                            "\"auto\", \"any\" and \"tool\", the latter "
                            "with a name, is expected");
}


static ai_int_t
ai_converse_additional(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_each(r, v, ai_converse_additionals,
                            "additionalModelRequestFields");
}


/* an object as Claude takes it, or the effort as other models do */

static ai_int_t
ai_converse_thinking(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  type, budget, display;

    if (v->type == AI_JSON_STRING) {
        return ai_converse_effort(r, v);
    }

    type = ai_converse_get(v, "type");

    if (ai_json_name_eq(&type, "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    budget = ai_converse_get(v, "budget_tokens");

    if (ai_json_name_eq(&type, "adaptive")) {
        r->req->adaptive = 1;

    } else if (ai_json_name_eq(&type, "enabled")
               && budget.type == AI_JSON_NUMBER)
    {
        r->req->budget = ai_json_raw(&budget);

    } else {
        return ai_report_refuse(r->rep,
                                "additionalModelRequestFields.thinking",
                                "an object of type \"enabled\" with "
                                "budget_tokens, \"adaptive\" or \"disabled\" "
                                "is expected");
    }

    display = ai_converse_get(v, "display");
    r->req->summary = !ai_json_name_eq(&display, "omitted");

    return AI_OK;
}


static ai_int_t
ai_converse_effort(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_mstr_t    name;
    ai_effort_e  effort;

    name = ai_mstr(v);
    effort = ai_effort_find(&name);

    if (effort == AI_EFFORT_UNSET) {
        ai_report_drop(r->rep, "reasoning_effort");
        return AI_OK;
    }

    /* what switches thinking off is stronger, wherever it stands */

    if (r->req->effort == AI_EFFORT_UNSET) {
        r->req->effort = effort;
    }

    return AI_OK;
}


static ai_int_t
ai_converse_nova_inference(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_each(r, v, ai_converse_nova_inferences,
                            "additionalModelRequestFields.inferenceConfig");
}


static ai_int_t
ai_converse_nova_reasoning(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  type, effort;

    type = ai_converse_get(v, "type");

    if (ai_json_name_eq(&type, "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    effort = ai_converse_get(v, "maxReasoningEffort");

    return ai_converse_effort(r, &effort);
}


/* which tool it is has its slot in toolConfig */

static ai_int_t
ai_converse_parallel(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  disable;

    disable = ai_converse_get(v, "disable_parallel_tool_use");

    if (ai_json_is_true(&disable)) {
        ai_str_set(&r->req->parallel, "false");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_claude_output(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_converse_each(r, v, ai_converse_claude_outputs,
                            "additionalModelRequestFields.output_config");
}


static ai_int_t
ai_converse_claude_format(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  schema;

    schema = ai_converse_get(v, "schema");

    if (schema.type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "additionalModelRequestFields."
                                "output_config.format",
                                "an object with a schema is expected");
    }

    r->req->format = AI_FORMAT_SCHEMA;
    r->req->format_schema = ai_json_raw(&schema);

    return AI_OK;
}


/* the schema is a JSON text within a string */

static ai_int_t
ai_converse_output(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_int_t         rc;
    ai_str_t         text;
    ai_json_t        format, value, root;
    ai_mstr_t        schema;
    ai_json_error_t  err;

    format = ai_converse_get(v, "textFormat");

    if (format.type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (ai_json_path(&format, &format, "structure", "jsonSchema", NULL)
        != AI_OK)
    {
        return ai_report_refuse(r->rep, "outputConfig.textFormat",
                                "a jsonSchema is expected");
    }

    value = ai_converse_get(&format, "name");
    r->req->format_name = ai_mstr(&value);

    value = ai_converse_get(&format, "description");
    r->req->format_description = ai_mstr(&value);

    value = ai_converse_get(&format, "schema");
    schema = ai_mstr(&value);

    if (ai_mstr_decode(&schema, r->req->alloc, &text) != AI_OK) {
        return AI_ERROR;
    }

    rc = ai_json_scan(text.data, text.len, NULL, r->req->alloc, NULL, NULL,
                      &root, &err);

    if (rc == AI_ERROR) {
        return AI_ERROR;
    }

    if (rc != AI_OK || root.type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "outputConfig.textFormat.structure."
                                "jsonSchema.schema",
                                "a string that holds a JSON object is "
                                "expected");
    }

    r->req->format = AI_FORMAT_SCHEMA;
    r->req->format_schema = ai_json_raw(&root);

    return AI_OK;
}


static ai_int_t
ai_converse_metadata_read(ai_converse_read_t *r, const ai_json_t *v)
{
    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "requestMetadata",
                                "an object is expected");
    }

    r->req->metadata = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_converse_tier(ai_converse_read_t *r, const ai_json_t *v)
{
    ai_json_t  type;

    type = ai_converse_get(v, "type");

    if (ai_json_name_eq(&type, "default") || ai_json_name_eq(&type, "flex")
        || ai_json_name_eq(&type, "priority"))
    {
        r->req->service_tier = ai_mstr(&type);

    } else {
        ai_report_drop(r->rep, "service_tier");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_prompt(ai_converse_read_t *r, const ai_json_t *v)
{
    return ai_report_refuse(r->rep, "promptVariables", "prompts that are "
                            "stored at Bedrock are known there only: send "
                            "the messages themselves");
}


static ai_int_t
ai_converse_ignore(ai_converse_read_t *r, const ai_json_t *v)
{
    return AI_OK;
}
