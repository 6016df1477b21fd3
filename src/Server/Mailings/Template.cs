using System.Text;

namespace CbaMail.Mailings;

/// <summary>How values are written: HTML escapes them, text does not.</summary>
public enum TemplateKind { Text, Html }

/// <summary>What is wrong with a template itself.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based, in characters.</param>
public sealed record TemplateError(int Line, int Column, string Message)
{
    public override string ToString() => $"line {Line}, column {Column}: {Message}";
}

/// <summary>A merge field that had no value when it was needed.</summary>
/// <param name="Known">The field exists, and is empty for this person.</param>
public readonly record struct MissingField(string Name, bool Known, int Line, int Column);

/// <summary>A place where a template names a merge field.</summary>
/// <param name="Required">Written out with no default: an empty value is a mistake.</param>
public sealed record FieldReference(string Name, bool Required, int Line, int Column);

/// <summary>
/// A parsed template in the language of Handlebars: <c>{{field}}</c>, <c>{{{raw}}}</c>, <c>{{#if}} {{else if}} {{else}} {{/if}}</c>,
/// <c>{{#unless}}</c>, <c>{{#each}}</c> and <c>{{#with}}</c> with <c>this</c>, <c>../</c> and <c>@index</c>, comments, <c>~</c> white-space
/// control, helpers (<see cref="TemplateFunctions"/>) and sub-expressions. Immutable: one is shared by all renderers.
/// </summary>
/// <remarks>
/// Why not a package: the check needs to know which fields a template names, which of them have a default, and the line and column
/// of every mistake, and a first mailing must not wait half a second for generated code to be compiled.
/// </remarks>
public sealed class Template
{
    readonly IReadOnlyList<TemplateNode> nodes;

    internal Template(TemplateKind kind, IReadOnlyList<TemplateNode> nodes, IReadOnlyList<FieldReference> references)
    {
        Kind = kind;
        this.nodes = nodes;
        References = references;
    }

    public TemplateKind Kind { get; }

    /// <summary>Every place where a field is named, in order.</summary>
    public IReadOnlyList<FieldReference> References { get; }

    /// <summary>Reads a template; the first mistake is returned in its stead.</summary>
    public static Template? Parse(string text, TemplateKind kind, out TemplateError? error) => TemplateParser.Parse(text, kind, out error);

    /// <summary>Writes the template for one person; fields that were needed and had no value are added to <paramref name="missing"/>.</summary>
    public void Render(MergeData data, StringBuilder output, List<MissingField>? missing)
    {
        var rendering = new Rendering(data, output, missing, Kind);
        rendering.All(nodes);
    }

    /// <summary>The template as a text of its own.</summary>
    public string Render(MergeData data, List<MissingField>? missing = null)
    {
        var output = new StringBuilder();
        Render(data, output, missing);
        return output.ToString();
    }
}

/// <summary>One rendering in progress.</summary>
sealed class Rendering(MergeData data, StringBuilder output, List<MissingField>? missing, TemplateKind kind)
{
    // a loop in a loop over lists that people brought
    const int MaxSteps = 200_000;
    const int MaxLength = 4_000_000;

    int steps;

    public MergeData Data => data;
    public StringBuilder Output => output;

    /// <summary>The innermost <c>each</c> or <c>with</c>; null outside of them.</summary>
    public TemplateScope? Scope { get; set; }

    public void Missing(FieldExpression field, bool known) => missing?.Add(new(field.Written, known, field.Line, field.Column));

    /// <summary>False when the template does more than is good: what was written so far stays, and the person is named.</summary>
    public bool Goes()
    {
        if (steps > MaxSteps) return false;
        if (++steps <= MaxSteps && output.Length <= MaxLength) return true;
        steps = MaxSteps + 1;
        missing?.Add(new(TooLong, true, 1, 1));
        return false;
    }

    /// <summary>The name under which a template that does not end is told.</summary>
    public const string TooLong = "#";

    public void All(IReadOnlyList<TemplateNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (!Goes()) return;
            node.Write(this);
        }
    }

    public void Value(string value, bool raw)
    {
        if (raw || kind == TemplateKind.Text) output.Append(value); else Escape(value);
    }

    void Escape(string value)
    {
        var start = 0;
        for (var i = 0; i < value.Length; i++)
        {
            var entity = value[i] switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '"' => "&quot;", '\'' => "&#39;", '`' => "&#96;", _ => null };
            if (entity is null) continue;
            output.Append(value, start, i - start).Append(entity);
            start = i + 1;
        }
        output.Append(value, start, value.Length - start);
    }
}

/// <summary>What <c>this</c> is, and the place in its list.</summary>
sealed record TemplateScope(object? This, TemplateScope? Outer, int Index = 0, int Count = 0, string? Key = null);

abstract class TemplateNode
{
    public abstract void Write(Rendering rendering);
}

sealed class TextNode(string text) : TemplateNode
{
    public override void Write(Rendering rendering) => rendering.Output.Append(text);
}

sealed class ValueNode(TemplateExpression expression, bool raw) : TemplateNode
{
    public override void Write(Rendering rendering) => rendering.Value(TemplateValue.Text(expression.Evaluate(rendering, required: true), rendering.Data), raw);
}

sealed class ChoiceNode(IReadOnlyList<(TemplateExpression Condition, bool Negated, IReadOnlyList<TemplateNode> Body)> branches, IReadOnlyList<TemplateNode> otherwise) : TemplateNode
{
    public override void Write(Rendering rendering)
    {
        foreach (var (condition, negated, body) in branches)
        {
            if (TemplateValue.IsTrue(condition.Evaluate(rendering, required: false)) == negated) continue;
            rendering.All(body);
            return;
        }
        rendering.All(otherwise);
    }
}

/// <summary><c>{{#each}}</c>: the members of a list or an object, each in its turn; <c>{{#with}}</c>: one value.</summary>
sealed class ScopeNode(TemplateExpression subject, bool each, IReadOnlyList<TemplateNode> body, IReadOnlyList<TemplateNode> otherwise) : TemplateNode
{
    public override void Write(Rendering rendering)
    {
        var value = subject.Evaluate(rendering, required: false);
        var outer = rendering.Scope;
        if (!TemplateValue.IsTrue(value))
        {
            rendering.All(otherwise);
            return;
        }
        if (!each) Write(rendering, new(value, outer));
        else if (value is IReadOnlyDictionary<string, object?> members)
        {
            var index = 0;
            foreach (var (key, member) in members)
                if (rendering.Goes()) Write(rendering, new(member, outer, index++, members.Count, key));
        }
        else
        {
            var list = TemplateValue.List(value);
            for (var i = 0; i < list.Count && rendering.Goes(); i++) Write(rendering, new(list[i], outer, i, list.Count));
        }
        rendering.Scope = outer;
    }

    void Write(Rendering rendering, TemplateScope scope)
    {
        rendering.Scope = scope;
        rendering.All(body);
    }
}

abstract class TemplateExpression
{
    /// <summary>A text, number, truth, list or object; null: nothing.</summary>
    /// <param name="required">An empty field is reported as missing.</param>
    public abstract object? Evaluate(Rendering rendering, bool required);
}

sealed class LiteralExpression(object? value) : TemplateExpression
{
    public override object? Evaluate(Rendering rendering, bool required) => value;
}

/// <param name="written">With its <c>../</c>.</param>
/// <param name="name">Without; "" is <c>this</c>.</param>
/// <param name="ups">How many scopes further out it is looked for; -1: at the root.</param>
sealed class FieldExpression(string written, string name, int ups, int line, int column) : TemplateExpression
{
    public string Written => written;
    public int Line => line;
    public int Column => column;

    public override object? Evaluate(Rendering rendering, bool required)
    {
        var scope = ups < 0 ? null : rendering.Scope;
        for (var i = 0; i < ups && scope is not null; i++) scope = scope.Outer;
        var value = scope is null ? Root(rendering) : name.Length == 0 ? scope.This : name[0] == '@' ? Variable(scope) : TemplateValue.Member(scope.This, name);
        if (required && TemplateValue.IsEmpty(value)) rendering.Missing(this, value is not null);
        return value;
    }

    object? Root(Rendering rendering)
    {
        if (rendering.Data.Find(name) is { } flat) return flat;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && rendering.Data.Find(name[..dot]) is { } first and not string ? TemplateValue.Member(first, name[(dot + 1)..]) : null;
    }

    object? Variable(TemplateScope scope) => name switch
    {
        "@index" => (double)scope.Index,
        "@number" => (double)scope.Index + 1,
        "@first" => scope.Index == 0,
        "@last" => scope.Index == scope.Count - 1,
        "@key" => scope.Key,
        _ => null,
    };
}

sealed class CallExpression(TemplateFunction function, IReadOnlyList<TemplateExpression> arguments) : TemplateExpression
{
    public override object? Evaluate(Rendering rendering, bool required)
    {
        var values = new object?[arguments.Count];
        for (var i = 0; i < values.Length; i++) values[i] = arguments[i].Evaluate(rendering, required && function.Requires(i));
        return function.Run(rendering.Data, values);
    }
}
