{# Text as it is compared, never as it is shown: accents, look-alike letters, zero-width characters, case, punctuation
   and surplus blanks are gone. By translate alone: a server with locale C lowers only ASCII, others all letters. #}
{% macro folded_text(text) -%}
    {%- set letters = [
        ('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'),
        ('ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿŁłŠšŽž', 'aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyyllsszz'),
        ('АВЕКМНОРСТУХІавекмнорстухі', 'abekmhopctyxiabekmhopctyxi'),
        ('БГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ', 'бгдёжзийлпфцчшщъыьэюя'),
        ('\u200b\u200c\u200d\ufeff', ''),
    ] -%}
    {%- set worded = "translate(" ~ text ~ ", '" ~ letters | map('first') | join ~ "', '" ~ letters | map('last') | join ~ "')" -%}
nullif(trim(substr({{ cdp_regex_replace(cdp_regex_replace(worded, '[!-/:-@{-~]', ''), '[ ]+', ' ') }}, 1, 100)), '')
{%- endmacro %}
