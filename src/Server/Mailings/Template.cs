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
/// <c>{{#unless}}</c>, comments, <c>~</c> white-space control, helpers (<see cref="TemplateFunctions"/>) and sub-expressions.
/// Immutable: one is shared by all renderers. Merge fields are texts, so there is no <c>{{#each}}</c>; it is refused with a sentence.
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
        foreach (var node in nodes) node.Write(rendering);
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
    public MergeData Data => data;
    public StringBuilder Output => output;

    public void Missing(FieldExpression field, bool known) => missing?.Add(new(field.Name, known, field.Line, field.Column));

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
    public override void Write(Rendering rendering) => rendering.Value(expression.Evaluate(rendering, required: true), raw);
}

sealed class ChoiceNode(IReadOnlyList<(TemplateExpression Condition, bool Negated, IReadOnlyList<TemplateNode> Body)> branches, IReadOnlyList<TemplateNode> otherwise) : TemplateNode
{
    public override void Write(Rendering rendering)
    {
        foreach (var (condition, negated, body) in branches)
        {
            if (TemplateFunctions.IsTrue(condition.Evaluate(rendering, required: false)) == negated) continue;
            foreach (var node in body) node.Write(rendering);
            return;
        }
        foreach (var node in otherwise) node.Write(rendering);
    }
}

abstract class TemplateExpression
{
    /// <param name="required">An empty field is reported as missing.</param>
    public abstract string Evaluate(Rendering rendering, bool required);
}

sealed class LiteralExpression(string value) : TemplateExpression
{
    public override string Evaluate(Rendering rendering, bool required) => value;
}

sealed class FieldExpression(string name, int line, int column) : TemplateExpression
{
    public string Name => name;
    public int Line => line;
    public int Column => column;

    public override string Evaluate(Rendering rendering, bool required)
    {
        var value = rendering.Data.Find(name);
        if (required && string.IsNullOrWhiteSpace(value)) rendering.Missing(this, value is not null);
        return value ?? "";
    }
}

sealed class CallExpression(TemplateFunction function, IReadOnlyList<TemplateExpression> arguments) : TemplateExpression
{
    public override string Evaluate(Rendering rendering, bool required)
    {
        var values = new string[arguments.Count];
        for (var i = 0; i < values.Length; i++) values[i] = arguments[i].Evaluate(rendering, required && function.Requires(i));
        return function.Run(values);
    }
}
