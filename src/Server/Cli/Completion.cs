using System.Text;

namespace CbaMail.Cli;

/// <summary><c>completion bash</c>: what bash needs to complete verbs and options, made from the table of verbs.</summary>
static class Completion
{
    public static Verb Row(IReadOnlyList<Verb> verbs) => new("completion", "bash", "print what makes the Tab key of bash complete verbs and options", [], invocation =>
    {
        if (invocation.Arguments[0] != "bash") throw new Refused($"Only bash is known, not \"{invocation.Arguments[0]}\" (zsh reads it after: autoload bashcompinit && bashcompinit)", 2);
        invocation.Output.Write(Script(verbs));
        return Task.FromResult(0);
    }, """
        For all users:  cbamail completion bash > /etc/bash_completion.d/cbamail
        For this shell: source <(cbamail completion bash)
        """);

    internal static string Script(IReadOnlyList<Verb> verbs)
    {
        var text = new StringBuilder("""
            # completion of cbamail for bash; made by "cbamail completion bash"
            _cbamail() {
              local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words= files=
              COMPREPLY=()
              case $before in

            """);
        text.Append("    ").Append(string.Join('|', Options(verbs, "DIR"))).Append(") COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n");
        text.Append("    ").Append(string.Join('|', Options(verbs, "FILE"))).Append(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
        text.Append("  esac\n");
        text.Append("  if [ $COMP_CWORD = 1 ]; then words='").Append(string.Join(' ', verbs.Select(verb => verb.Name.Split(' ')[0]).Append("help").Distinct())).Append("'\n  else case \"$verb ${COMP_WORDS[2]}\" in\n");
        foreach (var verb in verbs.Where(verb => verb.Group.Length > 0)) Case(text, $"\"{verb.Name}\"", verb);
        foreach (var verb in verbs.Where(verb => verb.Group.Length == 0)) Case(text, $"\"{verb.Name} \"*", verb);
        foreach (var group in verbs.Where(verb => verb.Group.Length > 0).GroupBy(verb => verb.Group))
            text.Append("    \"").Append(group.Key).Append(" \"*) words='").Append(string.Join(' ', group.Select(verb => verb.Name[(group.Key.Length + 1)..]))).Append("' ;;\n");
        text.Append("  esac; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n");
        text.Append("  [ -z \"$files\" ] || case $word in -*) ;; *) COMPREPLY+=($(compgen -f -- \"$word\")) ;; esac\n}\ncomplete -F _cbamail cbamail ./cbamail\n");
        return text.ToString().ReplaceLineEndings("\n");
    }

    static void Case(StringBuilder text, string pattern, Verb verb) =>
        text.Append("    ").Append(pattern).Append(") words='").Append(string.Join(' ', verb.Options.Select(option => option.Name).Append("--help")))
            .Append(verb.Arguments.Contains("FILE", StringComparison.Ordinal) ? "' files=1 ;;\n" : "' ;;\n");

    static IEnumerable<string> Options(IReadOnlyList<Verb> verbs, string value) =>
        verbs.SelectMany(verb => verb.Options).Where(option => option.Value == value).Select(option => option.Name).Distinct();
}
